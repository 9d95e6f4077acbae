from __future__ import annotations

import base64
import xml.etree.ElementTree as ET
from collections.abc import Callable

from linenotes.tracing import Message, Trace
from linenotes.tracing.views._sequence_diagram import MAX_ARROWS, sequence_diagram

MakeTrace = Callable[..., Trace]


def test_every_actor_and_every_message_is_drawn(desk_trace: MakeTrace) -> None:
    texts = _texts(sequence_diagram(desk_trace().messages))
    actors = ["user", "triage", "specialist", "reviewer", "find_account", "desk"]
    assert texts[:6] == actors
    assert "freeze_account" in texts
    assert len(texts) == 6 + 8


def test_a_message_to_several_is_an_arrow_each() -> None:
    assert len(_texts(sequence_diagram([_message("hello", "b", "c", "d")]))) == 4 + 3


def test_a_message_to_oneself_is_a_loop() -> None:
    assert _texts(sequence_diagram([_message("hm", "a")])) == ["a", "hm"]


def test_text_is_never_markup() -> None:
    assert "<b>&</b>" in _texts(sequence_diagram([_message("<b>&</b>", "b")]))


def test_a_long_conversation_stays_small_and_says_what_is_left_out() -> None:
    image = sequence_diagram([_message("x" * 1_000, "b")] * 500)
    assert f"… {500 - MAX_ARROWS} more …" in _texts(image)
    assert len(image) < 12_000


def test_nothing_said_is_no_picture() -> None:
    assert sequence_diagram([_message("to nobody")]) == ""


def _message(text: str, *recipients: str) -> Message:
    return Message(id="1", kind="reply", sender="a", recipients=recipients, text=text)


def _texts(image: str) -> list[str | None]:
    _, _, data = image.rstrip(")").partition("base64,")
    root = ET.fromstring(base64.b64decode(data))  # noqa: S314  our own picture
    return [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
