"""`linenotes trace export`: send stored traces to an OpenTelemetry collector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from linenotes.project import Project
    from linenotes.tracing import FiledTrace, MlflowStore, OtlpTarget

_EPILOG = """\b
Examples:
  linenotes trace export tr-0a4f --endpoint http://127.0.0.1:4318
  linenotes trace export --run latest
"""
_ALL = 1_000_000


@click.command("export", epilog=_EPILOG)
@click.argument("trace_ids", nargs=-1, metavar="[TRACE_ID]...")
@click.option("--run", metavar="RUN", help="All traces of a run: its id, a prefix, or latest.")
@click.option("--endpoint", metavar="URL", help="The collector. Default: the project's.")
@click.option(
    "--protocol",
    type=click.Choice(["grpc", "http/protobuf"]),
    help="How to speak to it. Default: grpc on port 4317, http/protobuf elsewhere.",
)
@json_option
def command(
    trace_ids: tuple[str, ...],
    run: str | None,
    endpoint: str | None,
    protocol: str | None,
    as_json: bool,
) -> int:
    """Send stored traces to an OpenTelemetry collector, with the ids that they have in MLflow.

    Runs send their traces by themselves when a collector is set; most collectors show a trace
    that is sent twice with double spans.
    """
    from linenotes.cli._console import Live, console, print_json
    from linenotes.evals import trace_export_document
    from linenotes.project import Project
    from linenotes.tracing import open_store, resend

    if bool(trace_ids) == (run is not None):
        raise click.UsageError("Say which traces: TRACE_ID... or --run RUN.")
    project = Project.find()
    target = _target(project, endpoint, protocol)
    with project.redactor.in_force(), open_store(project) as store:
        names = trace_ids if run is None else _of_run(project, store, run)
        with Live() as live:
            live.stage("Sending", total=len(names))
            resent = resend(_read(store, names, live.advance), target)
    if as_json:
        print_json(trace_export_document(target, resent))
    else:
        out = console()
        out.print(f"sent {len(resent.sent)} of {len(names)} traces to {target.shown}")
        if resent.not_sent:
            out.print(f"{len(resent.not_sent)} did not arrive: {resent.reason}")
    return 1 if resent.not_sent else 0


def _target(project: Project, endpoint: str | None, protocol: str | None) -> OtlpTarget:
    from linenotes.tracing import otlp_target

    target = otlp_target(project, endpoint=endpoint, protocol=protocol)
    if target is None:
        raise click.UsageError(
            "No collector is known. Give --endpoint URL, or set OTEL_EXPORTER_OTLP_ENDPOINT or "
            "[tool.linenotes.otlp] endpoint."
        )
    return target


def _of_run(project: Project, store: MlflowStore, name: str) -> tuple[str, ...]:
    from linenotes.evals import RunStore, id_in_store

    run_id = id_in_store(RunStore.of(project).find(name), store)
    return tuple(header.trace_id for header in store.find_traces(run=run_id, limit=_ALL))


def _read(
    store: MlflowStore, names: tuple[str, ...], advance: Callable[[], None]
) -> Iterator[FiledTrace]:
    for name in names:
        yield store.read_filed_trace(name)
        advance()
