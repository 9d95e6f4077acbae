from __future__ import annotations

from linenotes.evals.failing._side_by_side import alone, side_by_side
from linenotes.tracing import Ledger, Message


def ledger(*texts: str) -> Ledger:
    return Ledger(
        tuple(
            Message(id=str(i), kind="reply", sender="a", recipients=("b",), text=text)
            for i, text in enumerate(texts)
        )
    )


def test_only_the_first_difference_is_marked() -> None:
    lines = side_by_side(ledger("x", "wrong", "worse"), ledger("x", "right", "better"))
    assert [line[0] for line in lines] == [" ", " ", "≠", " "]
    assert lines[2].split() == ["≠", "a", "→", "b:", "wrong", "|", "a", "→", "b:", "right"]


def test_a_message_that_only_one_has_is_a_difference() -> None:
    lines = side_by_side(ledger("x", "more"), ledger("x"))
    assert lines[-1].startswith("≠ a → b: more")


def test_equal_ledgers_say_that_the_difference_is_elsewhere() -> None:
    assert side_by_side(ledger("x"), ledger("x"))[-1].strip().startswith("They said the same")


def test_of_long_ledgers_what_surrounds_the_difference_is_shown() -> None:
    same = [f"m{i}" for i in range(40)]
    lines = side_by_side(ledger(*same[:30], "wrong", *same[31:]), ledger(*same))
    assert "m27" in lines[1]
    assert lines[4].startswith("≠")
    assert lines[-1] == "  (27 messages before and 1 after are not shown)"
    assert alone(ledger(*same))[-1] == "  (0 messages before and 28 after are not shown)"


def test_no_line_is_wider_than_a_terminal_whatever_is_said() -> None:
    from rich.cells import cell_len

    wide = ledger("漢字" * 200, "two\nlines\x1b[2J" + "x" * 300)
    lines = [*side_by_side(wide, ledger("🙏" * 90)), *alone(wide)]
    assert max(map(cell_len, lines)) <= 100
    assert "\x1b" not in "".join(lines)


def test_agents_that_ended_in_another_order_stand_beside_themselves() -> None:
    lines = side_by_side(ledger("x", "A", "B", "wrong"), ledger("x", "B", "A", "right"))
    assert [line[0] for line in lines] == [" ", " ", " ", " ", "≠"]


def test_the_suspected_message_is_marked_in_place_of_the_first_difference() -> None:
    failing = ledger("other", "wrong")
    lines = side_by_side(failing, ledger("x", "right"), suspected=failing.messages[1])
    assert [line[0] for line in lines] == [" ", " ", "≠"]
    assert alone(failing, suspected=failing.messages[1])[1].startswith("≠")
    assert not any(line.startswith("≠") for line in alone(failing))
