"""`linenotes failures`: which cases fail, why, and with whose message their failures begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from linenotes.evals import RunFailures

_EPILOG = """\b
Examples:
  linenotes failures
  linenotes failures latest --case case-07
  linenotes failures support_desk --metric intent_correct --full
  linenotes failures 3f9a --json
"""


@click.command(epilog=_EPILOG)
@click.argument("name", metavar="[RUN|AGENT]", default="latest")
@click.option("--metric", help="Passed or failed. Default: the run's first one that is.")
@click.option("--case", metavar="ID", help="One case: what failed beside what passed.")
@click.option("--full", is_flag=True, help="All cases that fail, not the worst 20.")
@json_option
def command(name: str, metric: str | None, case: str | None, full: bool, as_json: bool) -> int:
    """Show which cases of a run fail, why, and with whom their failures begin.

    RUN is a run's id, a unique prefix of it, latest, or latest~1; AGENT stands for its newest
    run. No agent and no scorer is called.

    Whoever sent the first message that no passing sample of the case has is a suspect, not a
    verdict. Without a passing sample it is the first message without the expected answer, where
    that is a plain text. Often nothing can be said.
    """
    from linenotes.cli._console import print_json
    from linenotes.evals import (
        WORST_CASES,
        RunStore,
        failures_document,
        newest_plan,
        run_failures,
    )
    from linenotes.project import Project

    store = RunStore.of(Project.find())
    plan, _ = newest_plan(store, name)
    most = None if full else WORST_CASES
    found = run_failures(store.read(plan.run_id), metric, case=case, most=most)
    if as_json:
        print_json(failures_document(found))
    elif case is not None:
        _print_case(found)
    else:
        _print(found)
    return 0


def _print(found: RunFailures) -> None:
    from linenotes.cli._console import console, table
    from linenotes.cli._ledgers import one_line
    from linenotes.evals import failures_text

    out = console()
    out.print(one_line(failures_text.heading(found)))
    out.print()
    if found.cases:
        rows = [[one_line(cell) for cell in row] for row in failures_text.rows(found)]
        out.print(table(rows, words=(0, 1, 3, 4)))
        out.print()
    for line in failures_text.lines(found):
        out.print(one_line(line))


def _print_case(found: RunFailures) -> None:
    from linenotes.cli._console import console
    from linenotes.cli._ledgers import one_line, printable
    from linenotes.evals import failing_case_text, failures_text

    out = console()
    out.print(one_line(failures_text.heading(found)))
    for line in failing_case_text.case_lines(found):
        out.print(printable(line), soft_wrap=True)
