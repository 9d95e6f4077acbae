from __future__ import annotations

from pydantic import JsonValue

from linenotes.tracing import Message, attachments, details
from linenotes.tracing.views._contents import visible


def holding(content: JsonValue, text: str = "") -> Message:
    return Message(id="1", kind="reply", sender="a", text=text, content=content)


def test_a_part_that_is_no_text_is_named() -> None:
    blocks: list[JsonValue] = [
        {"type": "text", "text": "look"},
        {"type": "image", "base64": "AAAA" * 512, "mime_type": "image/png"},
        {"type": "file", "file_id": "file-7"},
        {"type": "reasoning"},
        "just text",
    ]
    found = attachments(holding({"blocks": blocks}))
    assert [part.label for part in found] == ["image/png, 2 kB", "file file-7", "reasoning"]


def test_a_picture_is_shown_when_its_bytes_are_here_and_its_format_holds_no_program() -> None:
    def picture(source: str) -> str | None:
        block: JsonValue = {"type": "image_url", "image_url": {"url": source}}
        return attachments(holding({"blocks": [block]}))[0].picture

    assert picture("data:image/png;base64,AAAA") == "data:image/png;base64,AAAA"
    assert picture("data:image/svg+xml;base64,AAAA") is None
    assert picture("data:text/html;base64,AAAA") is None
    assert picture('data:image/png;base64,AA"onerror=x') is None
    assert picture("https://example.org/a.png") is None


def test_arguments_of_calls_and_payloads_are_readable() -> None:
    calls: JsonValue = [{"name": "find", "args": {"q": "ü"}}, {"name": "now", "args": {}}]
    assert list(details(holding({"tool_calls": calls}))) == [
        ("Arguments of find", '{\n  "q": "ü"\n}')
    ]
    assert list(details(holding({"a": 1, "b": 2}))) == [
        ("Whole content", '{\n  "a": 1,\n  "b": 2\n}')
    ]


def test_what_the_text_says_is_not_said_again() -> None:
    assert list(details(holding({"question": "why?"}, text="why?"))) == []
    assert list(details(holding(None, text="why?"))) == []


def test_an_encoded_file_inside_a_payload_is_cut_and_the_cut_is_marked() -> None:
    ((_, text),) = details(holding({"file": "A" * 10_000, "name": "x"}))
    assert len(text) < 5_000
    assert "… (10,000 characters)" in text


def test_characters_that_act_become_visible_and_those_of_scripts_stay() -> None:
    assert visible("\x1b\x00 \u202e \ud83d") == "␛␀ ⟨U+202E⟩ ⟨U+D83D⟩"
    family = "👨\u200d👩 שלום\u200f\n\tlinea"
    assert visible(family) == family
