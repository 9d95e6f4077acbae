from __future__ import annotations

from rich.cells import cell_len

from linenotes.cli._ledgers import Columns, line
from linenotes.tracing import Message, MessageKind, Tokens


def said(
    text: str, *recipients: str, sender: str = "desk", kind: MessageKind = "reply", tokens: int = 0
) -> Message:
    return Message(
        id="1",
        kind=kind,
        sender=sender,
        recipients=recipients,
        text=text,
        tokens=Tokens(input=tokens),
        cost=tokens / 1_000,
        start_ns=1,
        end_ns=1_500_000_001,
    )


def test_a_line_says_who_to_whom_of_what_kind_what_and_at_what_cost() -> None:
    message = said("banking", "specialist", kind="handoff", tokens=1_234)
    shown = line(message, width=100, columns=Columns.fitting([message], width=100)).plain
    assert " ".join(shown.split()) == "desk → specialist handoff banking 1,234 tokens $1.23 1.50 s"


def test_plain_talk_needs_no_word_for_its_kind() -> None:
    assert "reply" not in line(said("hello", "user"), width=100).plain


def test_names_have_more_room_where_there_is_more() -> None:
    message = said("hi", "desk/" + "x" * 40)
    routes = [Columns.fitting([message], width=width).route for width in (80, 100, 160)]
    assert routes == [26, 33, 48]


def test_of_long_names_both_ends_are_kept() -> None:
    message = said("hi", "researcher#1/sum_up", sender="researcher#1/find")
    columns = Columns.fitting([message], width=80)
    shown = line(message, width=80, columns=columns).plain
    assert shown.startswith("  …her#1/find → …er#1/sum_up  hi")
    assert Columns.of_headings([message], width=80).route == len("researcher#1/find → ") + 19
    short = line(said("hi", "x" * 60), width=80, columns=columns).plain
    assert short.startswith("  desk → …xxx")


def test_columns_are_as_narrow_as_what_stands_in_them() -> None:
    messages = [said("hi", "user"), said("again", "user")]
    columns = Columns.fitting(messages, width=100)
    assert columns == Columns(route=11, kind=0, figures=(0, 0, 6))
    assert line(messages[0], width=60, columns=columns).plain.startswith("  desk → user  hi ")


def test_a_line_fits_its_width_in_any_script() -> None:
    for text in ("word " * 50, "漢字" * 60, "👍🏽" * 60):
        message = said(text, "user", sender=text, tokens=5)
        columns = Columns.fitting([message], width=80)
        assert cell_len(line(message, width=80, columns=columns).plain) <= 80
        assert cell_len(line(message, width=80).plain) <= 80


def test_text_from_strangers_cannot_move_the_cursor() -> None:
    shown = line(said("a\x1b[2J\rb\u202ec", "user\x07"), width=80).plain
    assert shown.isprintable()


def test_what_nobody_got_is_kept() -> None:
    assert "desk (kept)" in line(said("hm"), width=80).plain
