"""The spans of a trace as the lines of a tree, and when each was at work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from linenotes.tracing._conventions import AGENT_NAME, EXCEPTION, INTERRUPT
from linenotes.tracing._trace import Span, Trace
from linenotes.tracing.views._focus import Focus
from linenotes.tracing.views._incidents import event_text


@dataclass(frozen=True, slots=True)
class Branch:
    """One span in its place in the tree."""

    span: Span
    level: int
    """0 for the root."""
    last: tuple[bool, ...]
    """For itself and each level above, from the root on: whether no other follows there."""
    errors: tuple[str, ...]
    """What went wrong right here."""
    questions: tuple[str, ...]
    """What was asked right here, and waited for."""
    running: bool

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        end = self.span.end_ns
        return None if end is None else (end - self.span.start_ns) / 1e9


def span_tree(trace: Trace, focus: Focus | None = None) -> tuple[Branch, ...]:
    """Return the spans of `trace` in the order in which a tree is drawn.

    A span whose parent is not there stands at the top. Of `focus` an agent below the depth is
    left out with all that is under it, and for an actor only what is its own stays.
    """
    focus = focus or Focus()
    ids = {span.span_id for span in trace.spans}
    children: dict[str | None, list[Span]] = {}
    for span in trace.spans:
        if not _is_too_deep(span, focus):
            parent = span.parent_id if span.parent_id in ids else None
            children.setdefault(parent, []).append(span)
    if focus.actor is not None:
        children = _pruned(children, focus)
    return tuple(_branches(trace, children))


def _branches(trace: Trace, children: dict[str | None, list[Span]]) -> Iterator[Branch]:
    stack = list(reversed(_with_ends(children.get(None, []), ())))
    while stack:
        span, last = stack.pop()
        yield Branch(
            span=span,
            level=len(last) - 1,
            last=last,
            errors=_texts(span, EXCEPTION),
            questions=_texts(span, INTERRUPT),
            running=span.end_ns is None and trace.state == "IN_PROGRESS",
        )
        stack += reversed(_with_ends(children.get(span.span_id, []), last))


def _texts(span: Span, name: str) -> tuple[str, ...]:
    texts = (event_text(event) for event in span.events if event.name == name)
    return tuple(dict.fromkeys(text for text in texts if text))


def _with_ends(spans: list[Span], above: tuple[bool, ...]) -> list[tuple[Span, tuple[bool, ...]]]:
    ordered = sorted(spans, key=lambda span: span.start_ns)
    return [(span, (*above, i == len(ordered))) for i, span in enumerate(ordered, 1)]


def _is_too_deep(span: Span, focus: Focus) -> bool:
    if focus.depth is None or span.type != "AGENT":
        return False
    return len(_actor(span).split("/")) > focus.depth


def _pruned(children: dict[str | None, list[Span]], focus: Focus) -> dict[str | None, list[Span]]:
    """Return only what belongs to the actor in focus, and what leads down to it."""
    parents = {span.span_id: above for above, spans in children.items() for span in spans}
    kept: set[str | None] = set()
    for spans in children.values():
        for span in spans:
            if span.type in ("AGENT", "TOOL") and focus.shows(_actor(span)):
                kept |= _below(span.span_id, children)
                kept.update(_path(span.span_id, parents))
    return {
        above: [span for span in spans if span.span_id in kept] for above, spans in children.items()
    }


def _below(span_id: str, children: dict[str | None, list[Span]]) -> set[str | None]:
    found: set[str | None] = set()
    stack: list[str] = [span_id]
    while stack:
        found.add(one := stack.pop())
        stack += [span.span_id for span in children.get(one, []) if span.span_id not in found]
    return found


def _path(span_id: str, parents: dict[str, str | None]) -> Iterator[str]:
    one: str | None = span_id
    while one is not None:
        yield one
        one = parents.get(one)


def _actor(span: Span) -> str:
    return str(span.attributes.get(AGENT_NAME) or span.name)
