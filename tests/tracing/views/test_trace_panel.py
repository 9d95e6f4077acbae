from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from linenotes.tracing import FiledTrace, Message, Trace
from linenotes.tracing.views._trace_panel import conversation, mail, trace_panel

MakeTrace = Callable[..., Trace]


def test_the_panel_fits_into_an_experiment_tag() -> None:
    assert len(trace_panel().encode()) < 20_000


def test_the_panel_starts_at_its_root_and_refers_to_its_own_parts_only() -> None:
    parts = _parts()
    ids = [part["id"] for part in parts]
    assert ids[0] == "root"
    assert len(set(ids)) == len(ids)
    children = [
        part.get("children", []) for part in parts if isinstance(part.get("children"), list)
    ]
    named = {child for group in children for child in group}
    named |= {part["child"] for part in parts if "child" in part}
    assert named == set(ids) - {"root"}


def test_the_panel_binds_to_attributes_that_traces_carry(desk_trace: MakeTrace) -> None:
    from linenotes.tracing.store._mlflow_spans import mlflow_spans

    bound = set(re.findall(r'"path":\["([^"]+)"\]', trace_panel()))
    carried = {name for span in mlflow_spans(FiledTrace(desk_trace())) for name in span.attributes}
    assert len(bound) == 4
    assert bound <= carried


def test_a_conversation_names_sender_and_recipient(desk_trace: MakeTrace) -> None:
    text = conversation(desk_trace().messages)
    assert "**triage → specialist**  \nbanking" in text
    assert r"**specialist → find\_account**" in text


def test_a_name_is_a_name_whatever_it_holds() -> None:
    name = "a\n![p](http://x/p.png) <img src=x> `c` [l](http://x) \\*b*"
    said = Message(id="1", kind="reply", sender=name, recipients=(name,), text="Hi.")
    for text in (conversation([said]), mail([said], [said])):
        assert len(text.splitlines()) == 2 + 3 * (text.count("Hi.") - 1)
        assert not re.search(r"(?<!\\)(?:\\\\)*[\[<`]", text)


@pytest.mark.parametrize("hostile", ["![p](http://x/p)", "<img src=x>", r"\<img>", r"\![p](x)"])
def test_a_text_fetches_nothing(hostile: str) -> None:
    text = conversation([Message(id="1", kind="reply", sender="a", text=hostile)])
    assert "![" not in text
    assert "<" not in text


def test_a_long_conversation_is_cut_and_says_so(desk_trace: MakeTrace) -> None:
    long = Message(id="1", kind="reply", sender="a", recipients=("b",), text="x" * 5_000)
    text = conversation([long] * 100)
    assert len(text) < 25_000
    assert text.endswith("more messages*")


def test_mail_tells_received_from_sent(desk_trace: MakeTrace) -> None:
    ask, team, *_ = desk_trace().messages
    text = mail([ask], [team])
    assert "**user →**" in text
    assert "**→ specialist**" in text


def _parts() -> list[dict[str, Any]]:
    view = json.loads(trace_panel())
    parts: list[dict[str, Any]] = view["template"][0]["updateComponents"]["components"]
    return parts
