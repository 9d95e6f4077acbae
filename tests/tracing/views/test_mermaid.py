from __future__ import annotations

from collections.abc import Callable

from linenotes.tracing import Message, Trace, as_told, mermaid

MakeTrace = Callable[..., Trace]


def test_actors_arrows_and_errors_are_written(desk_trace: MakeTrace) -> None:
    lines = mermaid(as_told(desk_trace(state="ERROR"))).splitlines()
    assert lines[:3] == [
        "sequenceDiagram",
        "    participant a0 as user",
        "    participant a1 as triage",
    ]
    assert "    a1-)a2: banking" in lines
    assert "    a4-->>a2: A-17" in lines
    assert "    a2->>a5: freeze_account" in lines
    assert lines[-1].startswith("    Note over a5: ✗ failed#58; TimeoutError")


def test_a_message_that_nobody_got_is_a_note() -> None:
    alone = Message(id="1", kind="reply", sender="a", text="hm")
    assert mermaid([alone]).splitlines()[-1] == "    Note over a0: hm"


def test_text_is_never_syntax() -> None:
    text = "a;b\nloop %% end: <b> #1 \u202e"
    said = Message(id="1", kind="reply", sender="x:y", recipients=("end",), text=text)
    assert mermaid([said]).splitlines()[1:] == [
        "    participant a0 as x#58;y",
        "    participant a1 as end",
        "    a0->>a1: a#59;b loop #37;#37; end#58; #60;b#62; #35;1",
    ]


def test_a_long_text_is_cut() -> None:
    said = Message(id="1", kind="reply", sender="a", recipients=("b",), text="x" * 500)
    assert len(mermaid([said])) < 200
