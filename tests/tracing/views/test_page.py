from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linenotes.project import RunError
from linenotes.tracing import (
    Focus,
    Message,
    MessageKind,
    Span,
    SpanEvent,
    Tokens,
    Trace,
    TraceScore,
    conversation_page,
)

if TYPE_CHECKING:
    from tests.tracing.conftest import Browser

MakeTrace = Callable[..., Trace]
SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
PIXEL = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
PWNED = "document.title='pwned'"
HOSTILE = [
    f"</script><script>{PWNED}</script>",
    f'"><img src=x onerror="{PWNED}">',
    f"' onmouseover='{PWNED}' x='",
    "<style>*{display:none}</style></style>",
    "</title></svg></details><h1>mine</h1>",
    "<base href=http://evil.example/><a href=javascript:alert(1)>click</a>",
    "{{ 7*7 }} {% raw %} &lt;b&gt;",
]
VOID = {"meta", "img", "br", "link", "input", "hr", "base"}


class Page(HTMLParser):
    """What a parser finds: its elements, and the text that a person can read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.sources: dict[str, str] = {}
        self.feed(html)
        self.close()
        self.text = "".join(self.texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            self.sources[self.open[-1]] = data
        else:
            self.texts.append(data)

    def count(self, tag: str) -> int:
        return Counter(name for name, _ in self.elements)[tag]


def conversation(*texts: str, kind: MessageKind = "reply") -> Trace:
    messages = tuple(
        Message(
            id=f"m{i}",
            kind=kind,
            sender=f"agent {i % 40}",
            recipients=(f"agent {(i * 7 + 1) % 40}",) if i % 11 else (),
            text=text,
            tokens=Tokens(input=90, output=10),
            start_ns=START + i * SECOND,
            end_ns=START + (i + 1) * SECOND,
            sampled=True,
        )
        for i, text in enumerate(texts)
    )
    end = START + len(texts) * SECOND
    return Trace("tr-" + "a" * 32, "app", "OK", START, end, "?", "!", (), messages)


def hostile_trace() -> Trace:
    """Everything that a stranger can choose is hostile."""
    said = conversation(*HOSTILE)
    messages = tuple(
        replace(
            message,
            sender=message.text,
            recipients=("x" + message.text,),
            seen_by=(message.text,),
            model=message.text,
            content={
                "blocks": [{"type": message.text, "url": message.text}],
                "tool_calls": [{"id": "1", "name": message.text, "args": {"a": message.text}}],
            },
        )
        for message in said.messages
    )
    failed = SpanEvent("exception", START, {"exception.message": HOSTILE[0]})
    span = Span("1", None, HOSTILE[1], "AGENT", START, None, "ERROR", events=(failed,))
    return replace(
        said,
        name=HOSTILE[0],
        request=HOSTILE[1],
        response=HOSTILE[2],
        case=HOSTILE[3],
        error=HOSTILE[4],
        state="IN_PROGRESS",
        spans=(span,),
        messages=messages,
    )


def test_the_page_says_what_was_asked_answered_and_said(desk_trace: MakeTrace) -> None:
    trace = desk_trace()
    page = Page(conversation_page(trace))
    assert page.open == []
    for text in (trace.request, trace.response, trace.name, "card-lost", "finished", "900 ms"):
        assert text in page.text
    for message in trace.messages:
        assert message.text in page.text
    assert page.count("li") == len(trace.messages) + 4  # the legend has four


def test_each_message_has_an_arrow_that_leads_to_it(desk_trace: MakeTrace) -> None:
    page = Page(conversation_page(desk_trace()))
    ids = {found.get("id") for _, found in page.elements}
    arrows = [found["href"] for tag, found in page.elements if tag == "a" and "class" in found]
    assert {f"#m{number}" for number in range(1, 9)} <= set(arrows)
    assert all(target and target.removeprefix("#") in ids for target in arrows)


def test_an_error_stands_where_it_happened(desk_trace: MakeTrace) -> None:
    html = conversation_page(desk_trace(state="ERROR"))
    page = Page(html)
    assert html.index('id="m7"') < html.index('id="x1"')
    assert "TimeoutError: no answer in 60 s" in page.text
    assert "failed" in page.text


def test_what_runs_is_shown_as_running(desk_trace: MakeTrace) -> None:
    text = Page(conversation_page(desk_trace(state="IN_PROGRESS"))).text
    assert "not finished" in text
    assert "At work" in text


def test_tokens_cost_and_time_are_told_for_each_actor(desk_trace: MakeTrace) -> None:
    trace = desk_trace()
    priced = replace(trace.messages[1], cost=0.25, tokens=Tokens(input=1_000, output=234))
    text = Page(conversation_page(replace(trace, messages=(priced,)))).text
    assert "1,234" in text
    assert "$0.2500" in text
    assert "100 ms" in text


def test_no_time_is_shown_where_a_file_told_none(desk_trace: MakeTrace) -> None:
    trace = desk_trace()
    at = trace.start_ns
    untimed = replace(
        trace,
        end_ns=at + 9_000,
        spans=tuple(replace(span, start_ns=at, end_ns=at + 1_000) for span in trace.spans),
        messages=tuple(
            replace(message, start_ns=at, end_ns=at + 1_000) for message in trace.messages
        ),
    )
    text = Page(conversation_page(untimed)).text
    assert " ms" not in text
    assert "Took" not in text
    assert "When each was at work" not in text


def test_an_empty_handoff_says_whom_it_goes_to(desk_trace: MakeTrace) -> None:
    trace = desk_trace()
    asked, team, *others = trace.messages
    passed = (asked, replace(team, text="", content=None), *others)
    text = Page(conversation_page(replace(trace, messages=passed))).text
    assert "→ specialist" in text
    assert "(no text)" not in text
    silent = replace(asked, text="", content=None)
    assert "(no text)" in Page(conversation_page(replace(trace, messages=(silent,)))).text


def test_a_trace_of_somebody_else_with_bare_spans_has_a_page() -> None:
    spans = (Span("1", None, "LangGraph", "WORKFLOW", START, START + SECOND),)
    trace = Trace("tr-1", "x", "OK", START, START + SECOND, "", "", spans, ())
    assert "Nobody said anything." in Page(conversation_page(trace)).text
    assert Page(conversation_page(replace(trace, spans=(), start_ns=0, end_ns=None))).open == []


def test_a_page_says_how_many_spans_it_does_not_draw() -> None:
    spans = tuple(Span(str(i), None, "s", "TOOL", START, START) for i in range(1_234))
    text = Page(conversation_page(replace(conversation("hi"), spans=spans))).text
    assert "The first 400 of 1,234 spans." in text


def test_the_page_shows_what_is_in_focus_and_says_what_is_not(desk_trace: MakeTrace) -> None:
    text = Page(conversation_page(desk_trace(), Focus(actor="reviewer"))).text
    assert "6 of 8 messages are not shown" in text
    assert "I agree: banking." in text
    with pytest.raises(RunError):
        conversation_page(desk_trace(), Focus(actor="nobody"))


def test_a_long_text_is_folded_and_whole() -> None:
    long = "A long story. " * 500
    page = Page(conversation_page(conversation("short", long)))
    assert long in page.text
    assert page.count("details") == 1


def test_arguments_are_readable() -> None:
    content = {"tool_calls": [{"id": "1", "name": "find", "args": {"deep": {"er": [1, 2]}}}]}
    trace = conversation("find(…)", kind="call")
    called = replace(trace.messages[0], content=content)  # type: ignore[arg-type]  # it is JSON
    text = Page(conversation_page(replace(trace, messages=(called,)))).text
    assert "Arguments of find" in text
    assert '{\n  "deep": {\n    "er": [\n' in text


def test_only_pictures_that_the_message_carries_are_shown() -> None:
    blocks = [
        {"type": "image", "base64": PIXEL, "mime_type": "image/gif"},
        {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{PIXEL}"}},
        {"type": "image_url", "image_url": {"url": "https://evil.example/spy.png"}},
        {"type": "image", "base64": PIXEL, "mime_type": "image/svg+xml"},
        {"type": "input_audio", "input_audio": {"data": PIXEL, "format": "mp3"}},
    ]
    trace = conversation("look")
    message = replace(trace.messages[0], content={"blocks": blocks})  # type: ignore[dict-item]  # it is JSON
    page = Page(conversation_page(replace(trace, messages=(message,))))
    sources = [found["src"] for tag, found in page.elements if tag == "img"]
    assert sources == [f"data:image/{kind};base64,{PIXEL}" for kind in ("gif", "jpeg")]
    for name in ("https://evil.example/spy.png", "image/svg+xml", "[audio"):
        assert name in page.text


def test_hostile_text_stays_text() -> None:
    page = Page(conversation_page(hostile_trace()))
    assert page.open == []
    assert (page.count("script"), page.count("style"), page.count("h1")) == (1, 1, 1)
    assert not {"iframe", "object", "embed", "link", "base", "form", "img"} & {
        tag for tag, _ in page.elements
    }
    for text in HOSTILE:
        assert text in page.text
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]


def test_nothing_on_the_page_leads_out_of_it() -> None:
    page = Page(conversation_page(hostile_trace()))
    leading = ("href", "src", "xlink:href", "srcset", "action", "data", "poster", "background")
    targets = [a[name] or "" for _, a in page.elements for name in leading if name in a]
    assert [target for target in targets if not target.startswith(("#", "data:image/"))] == []
    assert not re.search(r"url\(|@import|https?:", page.sources["style"] + page.sources["script"])


def test_the_page_forbids_itself_everything_but_its_own_script_and_style() -> None:
    page = Page(conversation_page(hostile_trace()))
    policies = [found["content"] for _, found in page.elements if "http-equiv" in found]
    assert len(policies) == 1
    rules = dict((policies[0] or "").split("; ")[i].split(" ", 1) for i in range(6))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "data:"
    for name in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.sources[name].encode()).digest())
        assert rules[f"{name}-src"] == f"'sha256-{digest.decode()}'"


def test_characters_that_act_are_made_visible() -> None:
    text = "\x1b[31mred\x07 \u202egnp.exe\u2066 \x00 tab\there\nline"
    html = conversation_page(conversation(text))
    assert not set("\x1b\x07\x00\u202e\u2066") & set(html)
    page = Page(html).text
    assert "␛[31mred␇ ⟨U+202E⟩gnp.exe⟨U+2066⟩ ␀ tab\there\nline" in page


def test_half_a_character_does_not_stop_the_page() -> None:
    conversation_page(conversation("half \ud83d")).encode()


def test_five_hundred_messages_of_forty_actors_are_all_there() -> None:
    texts = [f"message {i}: {'word ' * (i % 90)}".strip() for i in range(500)]
    page = Page(conversation_page(conversation(*texts)))
    for text in texts:
        assert text in page.text
    assert len({f.get("id") for _, f in page.elements if f.get("id")}) >= 500


def test_in_a_browser_hostile_text_does_nothing(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(conversation_page(hostile_trace()), encoding="utf-8")
    dom = browser.dom(file.as_uri())
    title = re.search(r"<title>(.*?)</title>", dom, re.DOTALL)
    assert title
    assert "onerror" in title[1]  # as text: what was asked is in the title
    assert 'tabindex="0"' in dom.partition('id="x1"')[2][:120]  # our own script has run
    assert dom.count("<script>") == 1


def test_in_a_browser_the_page_is_light_or_dark_wide_or_narrow(
    browser: Browser, desk_trace: MakeTrace, tmp_path: Path
) -> None:
    file = tmp_path / "page.html"
    file.write_text(conversation_page(desk_trace(state="ERROR")), encoding="utf-8")
    for width in (1400, 500):
        light, dark = (
            greys(browser.screenshot(file.as_uri(), tmp_path / "shot.png", width=width, dark=dark))
            for dark in (False, True)
        )
        assert len(light) > 50  # something is written and drawn
        assert len(dark) > 50
        assert light.most_common(1)[0][0] > 230
        assert dark.most_common(1)[0][0] < 50


def greys(picture: Path) -> Counter[int]:
    """How often each brightness, from 0 to 255, is in a picture."""
    from PIL import Image

    with Image.open(picture) as image:
        return Counter(image.convert("L").tobytes())


def test_in_a_browser_five_hundred_messages_are_shown(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    texts = [f"message {i} " + "word " * (i % 300) for i in range(500)]
    file.write_text(conversation_page(conversation(*texts)), encoding="utf-8")
    dom = browser.dom(file.as_uri())
    assert dom.count('class="message ') == 500
    assert 'tabindex="0"' in dom


def test_scores_are_told_and_what_says_nothing_is_not(desk_trace: MakeTrace) -> None:
    scores = (
        TraceScore("route_ok", value=True),
        TraceScore("confidence", value=0.123456),
        TraceScore("tone", value=None, error="TimeoutError: <b>"),
        TraceScore("does_not_apply", value=None),
    )
    text = Page(conversation_page(desk_trace(), scores=scores)).text
    assert "route_okpass" in text
    assert "confidence0.1235" in text
    assert "toneTimeoutError: <b>" in text
    assert "does_not_apply" not in text


def test_what_waits_for_a_person_says_so(desk_trace: MakeTrace) -> None:
    trace = desk_trace()
    asked = SpanEvent("interrupt", trace.start_ns, {"linenotes.interrupt.value": "May I?"})
    last = replace(trace.spans[-1], events=(asked,))
    asks = replace(trace, state="IN_PROGRESS", spans=(*trace.spans[:-1], last))
    assert "waits for the user" in Page(conversation_page(asks)).text
    assert "waits for the user" not in Page(conversation_page(replace(asks, state="OK"))).text
