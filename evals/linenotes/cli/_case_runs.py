"""One case, run once, in a terminal: the verdict first, then what was said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from linenotes.cli._console import console
from linenotes.cli._ledgers import Columns, line, one_line

if TYPE_CHECKING:
    from rich.text import Text

    from linenotes.evals import Execution
    from linenotes.tracing import Message

_MARK = "  ← first message without the expected answer"
_STYLES = {"FAIL": "bold red", "LOST": "bold red", "PASS": "bold green", "done": "bold"}
_GAP = "   "


@contextmanager
def under_way(case_id: str) -> Iterator[Callable[[Message], None] | None]:
    """Show who speaks while a case runs, where a person looks on; the result comes at the end."""
    err = console(stderr=True)
    if not err.is_terminal:
        yield None
        return
    with err.status(one_line(case_id)) as status:
        yield lambda message: status.update(one_line(f"{case_id}  {message.route}"))


def case_lines(execution: Execution, version: str, *, width: int) -> Iterator[Text]:
    """Yield the verdict with its reason, then each message, and the scores where they say more."""
    from rich.text import Text

    yield _verdict(execution, version, width=width)
    suspect = execution.suspect
    told = [message for message in execution.sample.ledger if message.kind != "ack"]
    columns = Columns.fitting(told, width=width)
    for message in told:
        if suspect is None or suspect.message != message:
            yield line(message, width=width, columns=columns)
            continue
        bare = replace(columns, figures=(0, 0, 0))
        yield line(message, width=width - len(_MARK), columns=bare).append(_MARK, style="yellow")
    for score in execution.scores:
        yield Text(one_line(f"{score.name}: {score.error or score.value}"), style="dim")


def _verdict(execution: Execution, version: str, *, width: int) -> Text:
    from rich.text import Text

    sample, word = execution.sample, _word(execution)
    text = Text(f"{one_line(sample.case.id)}  {one_line(version)}  ")
    text.append(word, style=_STYLES[word])
    figures = _figures(execution)
    reason = Text(_GAP + one_line(execution.reason) if execution.reason else "")
    reason.truncate(max(20, width - text.cell_len - len(_GAP + figures)), overflow="ellipsis")
    return text.append_text(reason).append(_GAP + figures, style="dim")


def _word(execution: Execution) -> str:
    error = execution.sample.error
    if error is not None and error.kind == "infrastructure":
        return "LOST"
    return {True: "PASS", False: "FAIL", None: "done"}[execution.passed]


def _figures(execution: Execution) -> str:
    from linenotes.tracing import dollars, spell_seconds

    sample = execution.sample
    calls = "1 call" if sample.ledger.calls == 1 else f"{sample.ledger.calls} calls"
    known = [calls, dollars(sample.cost), spell_seconds(sample.seconds)]
    return ", ".join(filter(None, known))
