"""A stored conversation in a terminal: as a screenplay, whole or a line a message, or as spans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from linenotes.cli._ledgers import Columns, figures, heading, incident_line, line, one_line

if TYPE_CHECKING:
    from rich.text import Text

    from linenotes.tracing import Branch, Focus, Ledger, Trace, TraceScore

_INDENT = 6
_SCORE = 24
"""Most columns for the name of a score, and for what it says."""
_KINDS = {"WORKFLOW": "", "AGENT": "agent", "CHAT_MODEL": "model", "TOOL": "tool"}


def title(
    trace: Trace, shown: Ledger, *, state: str, scores: Sequence[TraceScore] = (), width: int
) -> Iterator[Text]:
    """Yield the lines that say which conversation it is, how it ended, what it cost and scored."""
    from rich.text import Text

    from linenotes.tracing import dollars, spell_seconds

    style = {"ERROR": "red", "OK": "green", "abandoned": "red"}.get(state, "yellow")
    sample = "" if trace.sample is None else f", sample {trace.sample}"
    first = Text(one_line(trace.name), style="bold").append("   ").append(state, style=style)
    yield first.append(f"   {one_line(f'case {trace.case}{sample}')}" if trace.case else "")
    seconds = (trace.end_ns - trace.start_ns) / 1e9 if trace.end_ns else None
    shown_of_all = f"{len(shown)} of " if len(shown) < len(trace.messages) else ""
    parts = (
        f"{shown_of_all}{len(trace.messages)} messages",
        f"{trace.ledger.tokens.total:,} tokens" if trace.ledger.tokens.total else "",
        dollars(trace.ledger.cost),
        spell_seconds(seconds),
    )
    figures = "   ".join(filter(None, parts))
    fits = len(figures) + len(trace.trace_id) + 3 <= width
    yield from (
        Text(part, style="dim")
        for part in ([f"{figures}   {trace.trace_id}"] if fits else [figures, trace.trace_id])
    )
    yield from _scores([score for score in scores if score.said], width=width)
    yield Text()


def _scores(scores: Sequence[TraceScore], *, width: int) -> Iterator[Text]:
    """Yield one line for each score: its name, what it says, and why."""
    from rich.cells import cell_len
    from rich.text import Text

    names = [one_line(score.name) for score in scores]
    said = ["failed" if score.error is not None else one_line(score.said) for score in scores]
    columns = [min(_SCORE, max(map(cell_len, column), default=0)) for column in (names, said)]
    for score, name, value in zip(scores, names, said, strict=True):
        text = Text()
        style = {"fail": "red", "failed": "red", "pass": "green"}.get(value, "")
        for cell, columns_, look in ((name, columns[0], "dim"), (value, columns[1], style)):
            part = Text(cell, style=look)
            part.truncate(columns_, overflow="ellipsis", pad=True)
            text.append_text(part).append("   ")
        text.append(one_line(score.error or score.rationale or ""), style="dim")
        text.truncate(width, overflow="ellipsis")
        text.rstrip()
        yield text


def screenplay(trace: Trace, focus: Focus, *, width: int) -> Iterator[Text]:
    """Yield one line for each message and each error, in the order in which they followed."""
    from linenotes.tracing import Incident, as_told

    told = as_told(trace, focus)
    columns = Columns.fitting((m for m in told if not isinstance(m, Incident)), width=width)
    for item in told:
        if isinstance(item, Incident):
            yield incident_line(item, width=width)
        else:
            yield line(item, width=width, columns=columns)


def full_screenplay(trace: Trace, focus: Focus, *, width: int) -> Iterator[Text]:
    """Yield whole messages: text, tool arguments and payloads, and the names of other media."""
    from rich.text import Text

    from linenotes.tracing import Incident, as_told, attachments, details

    told = as_told(trace, focus)
    columns = Columns.of_headings((m for m in told if not isinstance(m, Incident)), width=width)
    for item in told:
        if isinstance(item, Incident):
            yield from _wrapped(incident_line(item, width=len(item.text) + width), width, 4)
            continue
        yield heading(item, columns=columns).append(figures(item), style="dim")
        yield from _wrapped(Text(_safe(item.text)), width, _INDENT)
        for part in attachments(item):
            yield from _wrapped(Text(f"[{_safe(part.label)}]", style="dim"), width, _INDENT)
        for name, text in details(item):
            yield from _wrapped(Text(f"{_safe(name)}:\n{_safe(text)}", style="dim"), width, _INDENT)
        yield Text()


def span_lines(trace: Trace, focus: Focus, *, width: int) -> Iterator[Text]:
    """Yield one line for each span, with what went wrong there below it."""
    from rich.text import Text

    from linenotes.tracing import span_tree

    for branch in span_tree(trace, focus):
        yield _span_line(branch, width=width)
        errors = [("✗", error, "red") for error in branch.errors]
        for mark, told, style in (*errors, *(("‖", q, "yellow") for q in branch.questions)):
            text = Text(f"{_stem(branch.last)}{mark} {one_line(told)}", style=style)
            text.truncate(width, overflow="ellipsis")
            yield text


def _wrapped(text: Text, width: int, indent: int) -> Iterator[Text]:
    from rich.console import Console
    from rich.text import Text

    for part in text.wrap(Console(width=width), max(20, width - indent), overflow="fold"):
        part.rstrip()
        yield Text(" " * indent).append_text(part)


def _safe(text: str) -> str:
    """Return `text` with its lines as they are, and nothing in it that moves the cursor."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def _span_line(branch: Branch, *, width: int) -> Text:
    from rich.text import Text

    from linenotes.tracing import spell_seconds

    span = branch.span
    spent = branch.seconds
    took = "" if span.type == "HANDOFF" else spell_seconds(spent)
    state = "running" if branch.running else "failed" if span.status == "ERROR" else ""
    right = f"  {_KINDS.get(span.type, span.type.lower()):<9}  {state:<7}  {took:>11}"
    text = Text(_twig(branch.last), style="dim")
    style = "red" if state == "failed" else "bold" if span.type in ("WORKFLOW", "AGENT") else ""
    text.append(one_line(span.name), style=style)
    text.truncate(width - len(right), overflow="ellipsis", pad=True)
    return text.append(right, style="yellow" if state == "running" else "dim")


def _twig(last: Sequence[bool]) -> str:
    if len(last) == 1:
        return ""
    return _stem(last[:-1]) + ("└─ " if last[-1] else "├─ ")


def _stem(last: Sequence[bool]) -> str:
    return "".join("   " if ended else "│  " for ended in last[1:])
