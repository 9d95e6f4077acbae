"""`linenotes doctor`: what is there, what is missing, and the cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from linenotes.evals import Finding

_EPILOG = """\b
Example:
  linenotes doctor --json
"""


@click.command(epilog=_EPILOG)
@json_option
def command(as_json: bool) -> int:
    """Check Python, project, store, embedded model, ports and disk, and say the cure."""
    from linenotes.cli._console import Live, print_json
    from linenotes.evals import checkup

    with Live() as live:
        live.stage("Looking")
        findings = checkup()
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "healthy": all(finding.ok for finding in findings),
                "checks": [
                    {"check": f.check, "ok": f.ok, "found": f.found, "cure": f.cure}
                    for f in findings
                ],
            }
        )
    else:
        for finding in findings:
            _print(finding)
    return 0 if all(finding.ok for finding in findings) else 1


def _print(finding: Finding) -> None:
    mark = click.style("ok  ", fg="green") if finding.ok else click.style("FAIL", fg="red")
    click.echo(f"{mark}  {finding.check:<8} {finding.found}")
    if finding.cure:
        click.echo(f"               {finding.cure}")
