"""What `linenotes init` writes: few files, all to be edited, and none over another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Literal, get_origin, get_type_hints

from pydantic import JsonValue

from linenotes.agents import AgentVersion, load_agent
from linenotes.project import Project, ProjectError

CiService = Literal["github", "gitlab"]
Keys = Mapping[str, object]
"""Keys of a graph's state, each with its type."""

_MESSAGES = "messages"
_FOLDER = "evals"
_CASES = f"{_FOLDER}/cases.jsonl"
_CI: dict[CiService, str] = {
    "github": ".github/workflows/evals.yml",
    "gitlab": f"{_FOLDER}/gitlab-ci.yml",
}


@dataclass(frozen=True)
class StarterFile:
    """A file to begin with."""

    path: str
    """Relative to the project, with slashes."""
    text: str


def starter_files(
    agent: str, project: Project, *, ci: CiService | None = None
) -> list[StarterFile]:
    """Return two cases that fit what an agent takes, a golden test, and a workflow for `ci`.

    Raises:
        AgentError: there is no such agent, or its graph does not build.
    """
    takes = _keys(AgentVersion.resolve(load_agent(agent, project)).graph)
    last = 'sample.output["messages"][-1]["content"]'
    known = {
        "agent": agent,
        "cases": _CASES,
        "answer": last if _MESSAGES in takes else "str(sample.output)",
        "tests": _FOLDER,
    }
    cases = [_case(number, takes) for number in (1, 2)]
    files = [
        StarterFile(_CASES, "".join(json.dumps(case) + "\n" for case in cases)),
        StarterFile(f"{_FOLDER}/test_agent.py", _filled("test_agent.py.txt", known)),
    ]
    if ci is not None:
        files.append(StarterFile(_CI[ci], _filled(f"{ci}.yml", known)))
    return files


def write_starter(project: Project, files: Sequence[StarterFile]) -> None:
    """Write the files, all or none.

    Raises:
        ProjectError: one of them is there already, or cannot be written.
    """
    there = [file.path for file in files if (project.root / file.path).exists()]
    if there:
        raise ProjectError(
            f"Already in {project.root}: {', '.join(there)}. Nothing was written. "
            "Move that away, or add golden tests to what is there."
        )
    for file in files:
        _write(project.root / file.path, file.text)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ProjectError(
            f"Cannot write {path}: {error.strerror or error}. Make room or rights there."
        ) from error


def _case(number: int, takes: Keys) -> dict[str, JsonValue]:
    return {
        "id": f"case-{number}",
        "inputs": _inputs(number, takes),
        "expectations": {"answer": f"What answer {number} has to hold"},
    }


def _inputs(number: int, takes: Keys) -> dict[str, JsonValue]:
    """Return an example of what a graph takes: a message, or a value for each key of its state."""
    if _MESSAGES in takes:
        return {_MESSAGES: [{"role": "user", "content": f"Question {number}"}]}
    examples: dict[object, JsonValue] = {
        str: f"Question {number}",
        int: number,
        float: float(number),
        bool: True,
        list: [],
        dict: {},
    }
    return {name: examples.get(get_origin(kind) or kind) for name, kind in takes.items()}


def _keys(graph: object) -> Keys:
    """Return what a graph takes, as far as its state says so."""
    # Not its JSON schema: pydantic refuses `typing.TypedDict` before Python 3.12.
    schema = getattr(getattr(graph, "builder", None), "input_schema", None)
    return get_type_hints(schema) if schema is not None else {}


def _filled(name: str, known: Mapping[str, str]) -> str:
    template = resources.files("linenotes.evals.starter") / "templates" / name
    return Template(template.read_text(encoding="utf-8")).substitute(known)
