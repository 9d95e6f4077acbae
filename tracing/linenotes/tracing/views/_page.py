"""A conversation as one HTML file that needs nothing else: no server, no network, no install.

The page is drawn from a trace by a template beside this module. All that agents said is escaped,
and the page forbids itself every request and every script and style but its own two, by their
digests: hostile text stays text even where escaping should fail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING

from linenotes.tracing._ledger import Ledger, Message, Tokens
from linenotes.tracing._prices import dollars
from linenotes.tracing._trace import Trace
from linenotes.tracing.views._contents import attachments, details, visible
from linenotes.tracing.views._figures import spell_seconds
from linenotes.tracing.views._focus import Focus
from linenotes.tracing.views._house_style import house_style, page_part, policy_digest
from linenotes.tracing.views._incidents import Incident, as_told, incidents
from linenotes.tracing.views._instances import told_apart
from linenotes.tracing.views._lanes import COLOURS, Diagram
from linenotes.tracing.views._shares import Share, shares
from linenotes.tracing.views._span_tree import Branch, span_tree

if TYPE_CHECKING:
    from jinja2 import Template

    from linenotes.tracing._filed_trace import TraceScore

_LONG, _LINES = 900, 14
"""Longer texts are folded."""
_PREVIEW = 220
_MAX_BARS = 400
"""More spans than this are not drawn."""
_DEEPEST = 8


def conversation_page(
    trace: Trace, focus: Focus | None = None, *, scores: Sequence[TraceScore] = ()
) -> str:
    """Return `trace` as an HTML document: diagram, messages, actors and spans.

    `scores` are shown at its head; those of which nothing is known are left out.

    Raises:
        RunError: `focus` names an actor that takes no part.
    """
    known = tuple(score for score in scores if score.said)
    page = _Page(told_apart(trace), focus or Focus(), known)
    style, script = house_style() + page_part("page.css"), page_part("page.js")
    html = _template().render(
        page=page,
        diagram=page.diagram,
        colours=range(COLOURS),
        style=style,
        script=script,
        style_digest=policy_digest(style),
        script_digest=policy_digest(script),
    )
    return html.encode("utf-8", "replace").decode()  # half a character cannot be written


@dataclass(frozen=True)
class _Page:
    """What the template reads."""

    trace: Trace
    focus: Focus
    scores: tuple[TraceScore, ...]

    @cached_property
    def ledger(self) -> Ledger:
        return self.focus.apply(self.trace.ledger)

    @cached_property
    def told(self) -> Sequence[Message | Incident]:
        return as_told(self.trace, self.focus)

    @cached_property
    def diagram(self) -> Diagram:
        return Diagram(self.told)

    @cached_property
    def colour(self) -> dict[str, str]:
        return {lane.actor: lane.colour for lane in self.diagram.lanes}

    @cached_property
    def shares(self) -> tuple[Share, ...]:
        found = shares(self.trace.ledger, depth=self.focus.depth)
        return tuple(share for share in found if self.focus.shows(share.actor))

    @cached_property
    def busiest(self) -> float:
        return max((share.seconds for share in self.shares), default=0)

    @cached_property
    def tokens(self) -> Tokens:
        return self.trace.ledger.tokens

    @cached_property
    def cost(self) -> float | None:
        return self.trace.ledger.cost

    @cached_property
    def running(self) -> tuple[str, ...]:
        return self.trace.running if self.trace.state == "IN_PROGRESS" else ()

    @property
    def waits(self) -> bool:
        """Tell whether a person is to answer, and nothing goes on before."""
        asks = any(i.kind == "interrupt" for i in incidents(self.trace))
        return asks and self.trace.state == "IN_PROGRESS" and not self.running

    @cached_property
    def tree(self) -> tuple[Branch, ...]:
        return span_tree(self.trace, self.focus)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The spans that are drawn."""
        return self.tree[:_MAX_BARS]

    @property
    def hidden(self) -> int:
        """How many messages of the trace are not on the page."""
        return len(self.trace.messages) - len(self.ledger)

    @property
    def started(self) -> str:
        moment = datetime.fromtimestamp(self.trace.start_ns / 1e9, UTC)
        return f"{moment:%Y-%m-%d %H:%M:%S} UTC"

    @property
    def duration(self) -> str:
        trace = self.trace
        return "" if trace.end_ns is None else spell_seconds((trace.end_ns - trace.start_ns) / 1e9)

    @property
    def has_times(self) -> bool:
        """Tell whether it is known when things happened, as it is not of all imported files."""
        return bool(spell_seconds((self.trace.last_ns - self.trace.start_ns) / 1e9))

    def is_message(self, item: Message | Incident) -> bool:
        return isinstance(item, Message)

    def unsaid(self, message: Message) -> str:
        """Say what a message without a text did."""
        if message.recipients and message.kind in ("handoff", "delegate", "send"):
            return f"→ {', '.join(message.recipients)}"
        return "(no text)"

    def is_long(self, text: str) -> bool:
        return len(text) > _LONG or text.count("\n") >= _LINES

    def preview(self, text: str) -> str:
        return " ".join(text[: 2 * _PREVIEW].split())[:_PREVIEW]

    def since(self, time_ns: int) -> str:
        """Say how long after the start something was."""
        spent = spell_seconds((time_ns - self.trace.start_ns) / 1e9)
        return f"+{spent}" if spent else ""

    def took(self, message: Message) -> str:
        return spell_seconds(
            (message.end_ns - message.start_ns) / 1e9 if message.start_ns else None
        )

    def bar(self, branch: Branch) -> tuple[float, float]:
        """Return where the bar of a span begins and how long it is, of 1000."""
        start, end = self._window
        first = branch.span.start_ns
        last = branch.span.end_ns or end
        scale = 1000 / max(1, end - start)
        return (round((first - start) * scale, 1), max(2.0, round((last - first) * scale, 1)))

    def level(self, branch: Branch) -> int:
        return min(branch.level, _DEEPEST)

    @cached_property
    def _window(self) -> tuple[int, int]:
        starts = [b.span.start_ns for b in self.branches]
        ends = [b.span.end_ns or b.span.start_ns for b in self.branches]
        return min(starts, default=0), max([*ends, self.trace.end_ns or 0])


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"visible": visible, "seconds": spell_seconds, "money": dollars}
    environment.globals |= {"attachments": attachments, "details": details}
    return environment.from_string(page_part("page.html.j2"))
