"""Carrying a gate out in a terminal, and showing what it said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from linenotes.cli._console import Live, agents_print_to_stderr, console, print_json
from linenotes.cli._evaluations import carry_out, show_run
from linenotes.cli._interrupts import stop_on_interrupt
from linenotes.cli._ledgers import printable
from linenotes.cli._main import FAIL
from linenotes.evals import (
    Conduct,
    Evaluation,
    GateOrder,
    RunResult,
    conclude,
    run_gate,
    save_baseline,
    saved_document,
)
from linenotes.project import Project

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target


def carry_out_gate(
    project: Project,
    conduct: Conduct,
    order: GateOrder,
    *,
    save_as: str | None,
    promote_to: str | None,
    as_json: bool,
) -> int:
    """Carry a gate out, show what it said and what followed, and return its exit code.

    Raises:
        RunError: it passed, and the baseline could not be saved.
        StoreError: it passed, and the alias could not be moved.
    """
    with stop_on_interrupt() as stop, Live() as live, agents_print_to_stderr():
        result = run_gate(order, project, conduct, progress=live, stop=stop)
        found = conclude(project, result, save_as=save_as, promote_to=promote_to)
    if as_json:
        print_json(found.document())
    else:
        out = console()
        for line in found.lines():
            out.print(printable(line))
    if found.problem is not None:
        raise found.problem
    return result.decision.exit_code or (FAIL if result.lacks_use else 0)


def carry_out_saving(
    project: Project,
    conduct: Conduct,
    work: Callable[[Evaluation], list[RunResult]],
    *,
    save_as: str,
    target: Target,
    as_json: bool,
) -> int:
    """Measure a version and save it as a baseline; return the exit code."""
    show = partial(_save, project, save_as=save_as, target=target, as_json=as_json)
    return carry_out(project, work, conduct, target=target, show=show)


def _save(
    project: Project, results: Sequence[RunResult], *, save_as: str, target: Target, as_json: bool
) -> int:
    (result,) = results
    if not result.scored:
        return show_run(result, as_json=as_json)
    if as_json:
        path = save_baseline(project, result.record, save_as)
        print_json(saved_document(result, path=path, target=target))
        return 0
    code = show_run(result, as_json=False)
    path = save_baseline(project, result.record, save_as)
    console().print(printable(f"Saved as a baseline, to be committed: {path}"), soft_wrap=True)
    return code
