"""`linenotes compare`: stored runs against a base, paired by case."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from linenotes.cli._asked import margins_of
from linenotes.cli._options import json_option, margin_option, target_option

if TYPE_CHECKING:
    from linenotes.evals import ComparisonReport
    from linenotes.evals.statistics import Target
    from linenotes.project import Project

_EPILOG = """\b
Examples:
  linenotes compare latest~1 latest
  linenotes compare v1 v2 --html comparison.html
  linenotes compare 3f9a latest --metric intent_correct --margin 0.03 --json
  linenotes compare support_desk@v1 v2 v3 --guardrail grounded=0.02 --slice team --full

\b
The exit code is the verdict, of several candidates the worst: 0 pass or unchanged, 1 fail,
2 cannot measure, 3 inconclusive. With --margin 0 unchanged is 3, too.
"""
_STYLE = {"pass": "bold green", "fail": "bold red"}
_FEWEST = 2


@click.command(epilog=_EPILOG)
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...")
@click.option("--metric", help="The one that decides. Default: the base's primary metric.")
@margin_option
@click.option(
    "--guardrail",
    "guardrails",
    multiple=True,
    metavar="METRIC=MARGIN",
    help="A metric that must not drop by MARGIN for a pass. May be given several times.",
)
@click.option(
    "--slice",
    "slices",
    multiple=True,
    metavar="TAG",
    help="Show the metric by this tag. [default: tags with 2 to 12 values of 5 cases or more]",
)
@target_option
@click.option("--allow-changed-cases", is_flag=True, help="Compare although cases have changed.")
@click.option("--full", is_flag=True, help="All cases that changed, all slices, whole diffs.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown, as for CI.")
@click.option("--html", metavar="FILE", help="Write a page with plots; - is stdout.")
@click.option("--no-log", is_flag=True, help="Leave the comparison out of MLflow.")
@json_option
def command(
    runs: tuple[str, ...],
    metric: str | None,
    margin: float,
    guardrails: tuple[str, ...],
    slices: tuple[str, ...],
    target: Target,
    allow_changed_cases: bool,
    full: bool,
    as_markdown: bool,
    html: str | None,
    no_log: bool,
    as_json: bool,
) -> int:
    """Say whether runs are better or worse than the first one.

    A RUN is named by its id, a unique prefix of it, latest, latest~1, or by what it is of: the
    label of a version, or AGENT@LABEL, for the newest run on the dataset of the others. --metric
    and the guardrails decide; all else that is shown helps to understand.
    """
    from linenotes.evals import (
        ComparisonReport,
        RunStore,
        judged_metrics,
        quarantined,
        read_runs,
    )
    from linenotes.project import Project

    if len(runs) < _FEWEST:
        raise click.UsageError("Name two runs or more: the base first, then what is compared.")
    if as_json + as_markdown + full + (html == "-") > 1:
        raise click.UsageError("Choose one of --full, --markdown, --json and --html -.")
    project = Project.find()
    base, *candidates = read_runs(RunStore.of(project), runs)
    today = datetime.now().astimezone().date()
    report = ComparisonReport.of(
        base,
        candidates,
        metric=metric,
        margin=margin,
        guardrails=margins_of(guardrails),
        target=target,
        slices=slices or None,
        allow_changed_cases=allow_changed_cases,
        quarantine=quarantined(project, base.plan.dataset.name, today),
        judges=judged_metrics(project, [base.plan, *(one.plan for one in candidates)]),
    )
    _show(report, full=full, as_json=as_json, as_markdown=as_markdown, html=html)
    if not no_log:
        _log(report, project)
    return report.exit_code


def _show(
    report: ComparisonReport, *, full: bool, as_json: bool, as_markdown: bool, html: str | None
) -> None:
    from linenotes.cli._console import print_json
    from linenotes.cli._pages import STDOUT, write_html
    from linenotes.evals import comparison_document, comparison_markdown, comparison_page

    if html == STDOUT:
        click.echo(comparison_page(report), nl=False)
        return
    if as_json:
        print_json(comparison_document(report))
    elif as_markdown:
        click.echo(comparison_markdown(report), nl=False)
    else:
        _print(report, full=full)
    if html:
        write_html(comparison_page(report), Path(html))


def _print(report: ComparisonReport, *, full: bool) -> None:
    from rich.text import Text

    from linenotes.cli._console import console
    from linenotes.cli._ledgers import printable
    from linenotes.evals import comparison_lines

    out, verdicts = console(), {one.verdict.upper(): one.verdict for one in report.candidates}
    for line in comparison_lines(report, full=full, width=out.width):
        # Its columns are aligned by spaces, so only control characters go.
        text = Text(printable(line))
        for word, verdict in verdicts.items():
            if line.startswith(f"{word}  "):
                text.stylize(_STYLE.get(verdict, "bold"), 0, len(word))
        out.print(text)


def _log(report: ComparisonReport, project: Project) -> None:
    """Log to MLflow; that it cannot be reached takes nothing away from what was found."""
    from linenotes.cli._ledgers import one_line
    from linenotes.evals import log_comparison
    from linenotes.project import Redactor, StoreError

    try:
        log_comparison(report, project)
    except StoreError as error:
        said = one_line(Redactor.current().text(str(error)))
        click.echo(f"The comparison is not in MLflow: {said}", err=True)
