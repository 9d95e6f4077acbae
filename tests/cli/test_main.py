from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

VERBS = ("demo", "run", "eval", "compare", "ui", "doctor")
SUBVERBS = (("trace", "show"), ("dataset", "validate"), ("prompt", "list"), ("models", "install"))


@pytest.mark.parametrize("verb", [*((verb,) for verb in VERBS), *SUBVERBS], ids=" ".join)
def test_every_verb_has_help_with_an_example_and_json(verb: tuple[str, ...], cli: Cli) -> None:
    ended = cli(*verb, "--help")
    assert ended.code == 0
    assert f"linenotes {' '.join(verb)}" in ended.out.partition("Example")[2]
    assert "--json" in ended.out


def test_help_fits_the_terminal_and_names_every_verb(cli: Cli) -> None:
    out = cli("--help").out
    assert max(map(len, out.splitlines())) <= 100
    for verb in (*VERBS, *(verb for verb, _ in SUBVERBS)):
        assert f"  {verb} " in out


def test_help_imports_nothing_heavy() -> None:
    heavy = {"mlflow", "langgraph", "langchain_core", "pandas", "pydantic", "rich", "scipy"}
    program = (
        "import sys\nfrom linenotes.cli import main\n"
        "sys.argv = ['linenotes', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    print('|'.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not heavy & set(done.stderr.strip().split("|"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["eval"],
        ["eval", "a", "--resume", "b"],
        ["run", "a"],
        ["eval", "a", "-j", "0"],
    ],
)
def test_a_usage_error_is_one_line_and_exit_2(arguments: list[str], cli: Cli) -> None:
    ended = cli(*arguments)
    assert ended.code == 2
    assert "Error:" in ended.err
    assert "Traceback" not in ended.err


def test_a_mistake_is_one_sentence_and_exit_2(project: Path, cli: Cli) -> None:
    ended = cli("run", "no_such_agent", "hi")
    assert ended.code == 2
    assert ended.err.startswith("linenotes: There is no agent 'no_such_agent'.")
    assert ended.err.count("\n") == 1


def test_a_settings_file_that_is_not_valid_names_the_file(project: Path, cli: Cli) -> None:
    (project / "pyproject.toml").write_text("[tool.linenotes]\nspeed = 3\n", encoding="utf-8")
    ended = cli("prompt", "list")
    assert ended.code == 2
    assert "pyproject.toml" in ended.err
    assert "speed" in ended.err


def test_a_reader_that_leaves_is_no_error(project: Path) -> None:
    python = shlex.quote(sys.executable)
    command = f"{python} -m linenotes.cli dataset validate support-desk --json | head -c 1"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == "{"
    assert done.stderr == ""


def test_an_output_that_nobody_reads_ends_with_no_verdict(project: Path) -> None:
    command = [sys.executable, "-m", "linenotes.cli", "scorers", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
