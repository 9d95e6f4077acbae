"""The command `linenotes`: its verbs, and how every one of them ends.

Exit codes: 0 done or pass, 1 fail, 2 usage or cannot measure, 3 inconclusive, 70 a mistake of
ours, 130 interrupted.
A mistake that the user can mend is one sentence on stderr; only our own mistakes show a
traceback.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from typing import NoReturn

import click

from linenotes.cli._plain_signs import plain_signs
from linenotes.cli._verbs import Verbs

_VERBS = {
    "demo": "The whole story on the shipped support desk, with a verdict.",
    "init": "Write the first golden tests for an agent.",
    "run": "Run an agent once and show who said what to whom.",
    "eval": "Evaluate an agent on a dataset, several samples a case.",
    "failures": "Show which cases fail, why, and where their failures begin.",
    "compare": "Say whether one run is better or worse than another.",
    "gate": "Say whether a version may replace the baseline.",
    "aa": "Check on your own samples how often the gate cries wolf.",
    "plan": "Say how many cases and samples a wanted change needs.",
    "flaky": "Show which cases pass now and then; quarantine them.",
    "score": "Score a run again, without calling its agent.",
    "scorers": "List what can judge a sample, with an example each.",
    "judge": "Hold judges against people, and against themselves.",
    "import": "Make a run of results that were measured elsewhere.",
    "costs": "Show what a run cost, by agent, model, case or version.",
    "prices": "Show what models cost, and who says so.",
    "publish": "Write a run to MLflow from its journal.",
    "trace": "Read stored conversations.",
    "recordings": "Look after recorded model and tool calls.",
    "dataset": "Check golden files.",
    "prompt": "Show prompts and their versions.",
    "models": "Install the embedded model.",
    "ui": "Open the results in MLflow.",
    "doctor": "Check that everything is there, and say the cure.",
}
"""Verb to its line in `--help`; a verb's module is imported when it is used."""

FAIL = 1
USAGE = 2
OURS = 70
INTERRUPTED = 130
UNREAD = 141
"""As of a process that SIGPIPE ends: 0 and 1 would be read as verdicts."""


@click.group(
    cls=Verbs,
    verbs=_VERBS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `linenotes demo`. Each verb has --help with an example, and --json.",
)
@click.version_option(package_name="linenotes", prog_name="linenotes")
def _command() -> None:
    """Run LangGraph agents, read what they said, and say which version is better."""
    from linenotes.project import keep_offline

    keep_offline()


def main() -> NoReturn:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=plain_signs())  # a terminal that is not UTF-8
    try:
        code = _run()
    except KeyboardInterrupt:
        code = _say("Interrupted.", INTERRUPTED)
    except Exception as error:  # noqa: BLE001  1 would be read as the verdict "fail"
        code = _failed(error)
    if code == INTERRUPTED:
        _leave_at_once()
    sys.exit(code)


def _run() -> int:
    """Run one command and return its exit code."""
    try:
        code = _command.main(standalone_mode=False)
    except click.exceptions.Abort:
        return _say("Interrupted.", INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (BrokenPipeError, SystemExit) as error:
        # The reader, such as `head`, has what it wanted. Click makes an exit with 1 of it.
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    return code if isinstance(code, int) else 0


def _failed(error: Exception) -> int:
    """Say what went wrong and return the exit code; imported now, so that `--help` is quick."""
    from linenotes.project import LinenotesError, Redactor

    if isinstance(error, LinenotesError):
        from linenotes.cli._errors import explain

        return _say(*explain(error))
    text = "".join(traceback.format_exception(error))
    click.echo(Redactor.current().text(text), err=True, nl=False)
    return _say("This is a mistake of linenotes. Please report it.", OURS)


def _leave_at_once() -> NoReturn:
    """Do not wait for threads that still run nodes: the journal is on disk already."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(INTERRUPTED)


def _say(message: str, code: int) -> int:
    click.echo(f"linenotes: {message}", err=True)
    return code
