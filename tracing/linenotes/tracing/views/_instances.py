"""Instances of one agent that were at work at once, told apart as `researcher#1`, `researcher#2`.

A stay is what one span of an agent covers. Stays of an agent are at once when one superstep began
them, on what had been said before any of them had ended, or, where the superstep is not known,
when they overlap in time. An agent that is never at work twice at once keeps its plain name,
however often it is called in a loop. The numbers are those of `Ledger.instances`, the order in
which they first spoke; a stay inside of a numbered one is named after it: `researcher#2/search`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, count, pairwise
from typing import cast

from linenotes.tracing._conventions import (
    ACTIVATION,
    AGENT_NAME,
    MESSAGES_RECEIVED,
    MESSAGES_SENT,
    STEP,
)
from linenotes.tracing._ledger import Message
from linenotes.tracing._trace import Span, Trace

_NEVER = 2**63
_NO_WORDS = frozenset({"result", "ack"})
"""Kinds by which an activation is not numbered in `Ledger.instances`."""


def told_apart(trace: Trace) -> Trace:
    """Return `trace` with agents that were at work several times at once under numbered names."""
    people = _People(trace)
    if not people.labels:
        return trace
    return replace(
        trace,
        spans=tuple(people.span(span) for span in trace.spans),
        messages=tuple(people.message(message) for message in trace.messages),
    )


@dataclass(slots=True, eq=False)
class _Stay:
    """What one agent did from its begin to its end; a resumed one has a span for each part."""

    actor: str
    spans: list[Span]
    outer: _Stay | None
    order: int = _NEVER
    """The place of its first words, or of the first ones inside of it."""
    told_ns: int = 0
    """When the last message was said that it had when it began."""
    received: set[str] = field(default_factory=set)

    @property
    def start_ns(self) -> int:
        return self.spans[0].start_ns

    @property
    def end_ns(self) -> int:
        end = self.spans[-1].end_ns
        return _NEVER if end is None else end

    def is_with(self, later: _Stay) -> bool:
        """Tell whether `later`, which began no earlier, was at work at once with this one."""
        step, other = (one.spans[0].attributes.get(STEP) for one in (self, later))
        if step is None or other is None:
            return later.start_ns < self.end_ns
        return self.outer is later.outer and step == other and later.told_ns <= self.end_ns


class _People:
    """The stays of a trace, and the names of those that are told apart."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._of_span: dict[str, _Stay] = {}
        self._of_task: dict[str, _Stay] = {}
        self._saying: dict[str, _Stay] = {}
        self._reading: dict[str, list[_Stay]] = {}
        self._spans = {span.span_id: span for span in trace.spans}
        for span in trace.spans:
            if span.type == "AGENT":
                self._add(span)
        self._order()

    @cached_property
    def stays(self) -> list[_Stay]:
        """All stays, in the order in which they first spoke; silent ones follow."""
        own = dict.fromkeys(self._of_span.values())
        return sorted(own, key=lambda stay: (stay.order, stay.start_ns))

    @cached_property
    def labels(self) -> dict[_Stay, str]:
        """The names of the stays that are told apart."""
        labels: dict[_Stay, str] = {}
        for group in self._groups():
            names = _names(group, labels)
            labels |= {s: name for s, name in zip(group, names, strict=True) if name != s.actor}
        return labels

    def span(self, span: Span) -> Span:
        """Return `span` under the name of its stay."""
        stay = self._of_span.get(span.span_id)
        if stay is None or stay not in self.labels:
            return span
        label = self.labels[stay]
        last, new = stay.actor.rpartition("/")[2], label.rpartition("/")[2]
        name = new if span.name == last else span.name
        return replace(span, name=name, attributes={**span.attributes, AGENT_NAME: label})

    def message(self, message: Message) -> Message:
        """Return `message` with who said it and who got it told apart."""
        readers = [self._readers(message, name) for name in message.recipients]
        first = tuple(name for reached, _ in readers for name in reached)
        later = [name for _, others in readers for name in others]
        for name in message.seen_by:
            later += self._neighbours(message, name) or chain(*self._readers(message, name))
        return replace(
            message,
            sender=self._sender(message),
            recipients=tuple(dict.fromkeys(first)),
            seen_by=tuple(name for name in dict.fromkeys(later) if name not in first),
        )

    def _add(self, span: Span) -> None:
        actor = str(span.attributes.get(AGENT_NAME) or span.name)
        task = str(span.attributes.get(ACTIVATION) or span.span_id)
        stay = self._of_task.get(task)
        if stay is not None and stay.actor == actor:
            stay.spans.append(span)
        else:
            stay = self._of_task[task] = _Stay(actor, [span], self._outer(span))
        self._of_span[span.span_id] = stay
        stay.received.update(_ids(span, MESSAGES_RECEIVED))
        self._saying |= dict.fromkeys(_ids(span, MESSAGES_SENT), stay)

    def _outer(self, span: Span) -> _Stay | None:
        seen = {span.span_id}
        above = self._spans.get(span.parent_id or "")
        while above is not None and above.span_id not in seen:
            if above.span_id in self._of_span:
                return self._of_span[above.span_id]
            seen.add(above.span_id)
            above = self._spans.get(above.parent_id or "")
        return None

    def _order(self) -> None:
        ended = {message.id: message.end_ns for message in self._trace.messages}
        for place, message in enumerate(self._trace.messages):
            stay = self._stay(message) if message.kind not in _NO_WORDS else None
            while stay is not None and stay.order == _NEVER:
                stay.order = place
                stay = stay.outer
        for stay in self._of_span.values():
            told = (ended.get(one, 0) for one in stay.received)
            stay.told_ns = max((at for at in told if at <= stay.start_ns), default=0)
        for stay in self.stays:
            for one in stay.received:
                self._reading.setdefault(one, []).append(stay)

    def _groups(self) -> Iterable[Sequence[_Stay]]:
        """Yield the stays of each agent, those of outer agents first."""
        groups: dict[str, list[_Stay]] = {}
        for stay in self.stays:
            groups.setdefault(stay.actor, []).append(stay)
        return [groups[actor] for actor in sorted(groups, key=lambda name: name.count("/"))]

    def _stay(self, message: Message) -> _Stay | None:
        """Return the stay that said `message`."""
        for stay in (self._of_task.get(message.activation or ""), self._saying.get(message.id)):
            if stay is not None and stay.actor == message.sender:
                return stay
        return None

    def _sender(self, message: Message) -> str:
        stay = self._stay(message)
        return message.sender if stay is None else self.labels.get(stay, message.sender)

    def _neighbours(self, message: Message, actor: str) -> list[str]:
        """Return the instances of `actor` inside of the same agents as who got `message`."""
        within = {stay.outer for stay in self._reading.get(message.id, ()) if stay.outer}
        return [
            name
            for stay, name in self.labels.items()
            if stay.actor == actor and stay.outer in within
        ]

    def _readers(self, message: Message, actor: str) -> tuple[list[str], list[str]]:
        """Return the instances of `actor` that got `message` first, and those that did later."""
        readers = [stay for stay in self._reading.get(message.id, ()) if stay.actor == actor]
        if not readers:
            return [actor], []
        begun = min(readers, key=lambda stay: stay.start_ns)
        first = {stay for stay in readers if stay is begun or begun.is_with(stay)}
        names = [self.labels.get(stay, actor) for stay in readers]
        return (
            [name for stay, name in zip(readers, names, strict=True) if stay in first],
            [name for stay, name in zip(readers, names, strict=True) if stay not in first],
        )


def _names(group: Sequence[_Stay], labels: Mapping[_Stay, str]) -> list[str]:
    """Return the names of all stays of one agent, given those of the agents around it."""
    bases = [_inside(stay, labels) for stay in group]
    parallel = {base for base in {*bases} if _are_at_once(group, bases, base)}
    numbers = {base: count(1) for base in parallel}
    return [f"{base}#{next(numbers[base])}" if base in parallel else base for base in bases]


def _inside(stay: _Stay, labels: Mapping[_Stay, str]) -> str:
    """Return the name of a stay as a part of the numbered one that it is inside of."""
    outer = stay.outer
    if outer is None or outer not in labels or not stay.actor.startswith(outer.actor + "/"):
        return stay.actor
    return labels[outer] + stay.actor.removeprefix(outer.actor)


def _are_at_once(group: Sequence[_Stay], bases: Sequence[str], base: str) -> bool:
    alike = [stay for stay, own in zip(group, bases, strict=True) if own == base]
    alike.sort(key=lambda stay: stay.start_ns)
    return any(one.is_with(later) for one, later in pairwise(alike))


def _ids(span: Span, name: str) -> list[str]:
    found = span.attributes.get(name)
    return cast("list[str]", found) if isinstance(found, list) else []
