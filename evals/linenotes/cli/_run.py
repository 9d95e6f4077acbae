"""`linenotes run`: run an agent once and show who said what to whom."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from linenotes.cli._asked import choice_of
from linenotes.cli._options import json_option, version_options
from linenotes.cli._pages import STDOUT, html_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import JsonValue

    from linenotes.agents import AgentVersion
    from linenotes.datasets import Case
    from linenotes.evals import Execution
    from linenotes.project import Project
    from linenotes.tracing import Ledger, Message

_EPILOG = """\b
Examples:
  linenotes run support_desk "my card was stolen"
  linenotes run support_desk --case test-banking-transfer-01 --prompt 1
  linenotes run support_desk "my card was stolen" --html card.html
  linenotes run app.py:graph --input '{"question": "what is item 3?"}'
"""


@click.command(epilog=_EPILOG)
@click.argument("agent")
@click.argument("text", required=False)
@click.option("--input", "inputs", metavar="JSON", help="The graph's input as a JSON object.")
@click.option("--case", "case_id", metavar="ID", help="A case of the dataset as input.")
@click.option("--dataset", metavar="NAME|FILE", help="Where --case is. Default: the agent's own.")
@click.option("--seed", type=int, default=0, show_default=True)
@version_options
@html_option
@json_option
def command(
    agent: str,
    text: str | None,
    inputs: str | None,
    case_id: str | None,
    dataset: str | None,
    seed: int,
    prompts: tuple[str, ...],
    models: tuple[str, ...],
    temperature: float | None,
    html: str | None,
    as_json: bool,
) -> int:
    """Run AGENT once on TEXT, on --input or on --case, and print its messages.

    They are printed as they happen; of a case the verdict comes first, with the message marked that
    first lacks the expected answer, as far as that can be said.

    The conversation is stored as one trace: `linenotes trace show` reads it again.
    """
    from linenotes.agents import load_agent
    from linenotes.cli._case_runs import under_way
    from linenotes.cli._console import agents_print_to_stderr
    from linenotes.cli._pages import write_page
    from linenotes.evals import find_scorers, run_once, single_version
    from linenotes.project import Project

    if html == STDOUT:
        raise click.UsageError("--html - is for `linenotes trace show`: stdout has the messages.")
    if sum(given is not None for given in (text, inputs, case_id)) != 1:
        raise click.UsageError("Give the agent one input: TEXT, --input JSON or --case ID.")
    project = Project.find()
    choice = choice_of(prompts, models, temperature)
    version = single_version(load_agent(agent, project), choice)
    case = _case(version, text=text, inputs=inputs, case_id=case_id, dataset=dataset)
    scorers = find_scorers(version.agent.settings.scorers, project) if case_id else []
    shown = nullcontext() if as_json else under_way(case.id) if case_id else nullcontext(_printer())
    with agents_print_to_stderr() if as_json else nullcontext(), shown as show:
        execution = run_once(
            version, case, scorers=scorers, seed=seed, on_message=show, durable=True
        )
    _show(execution, version, as_case=case_id is not None, as_json=as_json)
    code = _finish(execution, version, project, as_json=as_json)
    if html is not None:
        write_page(execution.sample.trace, html)
    return code


def _case(
    version: AgentVersion,
    *,
    text: str | None,
    inputs: str | None,
    case_id: str | None,
    dataset: str | None,
) -> Case:
    from pydantic import ValidationError

    from linenotes.agents import text_input
    from linenotes.datasets import Case
    from linenotes.evals import find_case

    if case_id is not None:
        return find_case(version.agent, case_id, dataset=dataset)
    given = text_input(version.graph, text) if text is not None else _json_object(inputs or "")
    try:
        return Case(id="ad-hoc", inputs=given)
    except ValidationError as error:
        raise click.UsageError(f"The input cannot be used: {error.errors()[0]['msg']}.") from None


def _json_object(text: str) -> dict[str, JsonValue]:
    import orjson

    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise click.UsageError(f"--input is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise click.UsageError(f"--input must be a JSON object, not {text!r}.")
    return value


def _printer() -> Callable[[Message], None]:
    from linenotes.cli._console import TALK, console
    from linenotes.cli._ledgers import line

    out = console(widest=TALK)

    def show(message: Message) -> None:
        if message.kind != "ack":
            out.print(line(message, width=out.width))

    return show


def _show(execution: Execution, version: AgentVersion, *, as_case: bool, as_json: bool) -> None:
    from linenotes.cli._case_runs import case_lines
    from linenotes.cli._console import TALK, console, print_json
    from linenotes.evals import execution_document

    out = console(widest=TALK)
    if as_json:
        print_json(execution_document(execution))
    elif as_case:
        for line in case_lines(execution, version.label, width=out.width):
            out.print(line, overflow="ellipsis", no_wrap=True)
    else:
        out.print(_outcome(execution))


def _finish(execution: Execution, version: AgentVersion, project: Project, *, as_json: bool) -> int:
    """Store the trace, say where it is, and return the exit code.

    What was said is shown by now: a store that fails must not cost the answer, which may have been
    paid for.
    """
    from linenotes.cli._console import TALK, console
    from linenotes.evals import store_execution

    trace_id = store_execution(execution, version, project)
    if not as_json:
        told = f"trace {trace_id}   linenotes trace show {trace_id[:11]}   linenotes ui"
        console(widest=TALK).print(told, style="dim")
    return 1 if execution.sample.error else 0


def _outcome(execution: Execution) -> str:
    from linenotes.cli._ledgers import one_line

    sample = execution.sample
    ledger = sample.ledger
    took = [f"{ledger.calls} calls", f"{ledger.tokens.total} tokens", *_cost(ledger)]
    ended = f"failed: {one_line(str(sample.error))}" if sample.error else "done"
    return f"{ended}   {', '.join(took)}, {sample.seconds:.2f} s"


def _cost(ledger: Ledger) -> list[str]:
    """Return what a ledger cost; nothing where that is not known, or nothing at all."""
    from linenotes.tracing import dollars

    if not ledger.cost:
        return []
    unpriced = f" ({ledger.unpriced} calls without a known price)" if ledger.unpriced else ""
    return [dollars(ledger.cost) + unpriced]
