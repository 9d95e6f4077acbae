"""The project that a command stands in: its root, its settings, and where its state lives."""

from __future__ import annotations

import json
import os
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from linenotes.project._errors import ProjectError
from linenotes.project._settings import AgentSettings, Settings
from linenotes.project.redaction._redactor import Redactor

_MARKERS = ("pyproject.toml", "langgraph.json", ".git", ".linenotes")
_POSTGRESQL = "postgresql://"
_DRIVEN = "postgresql+psycopg2://"
"""What SQLAlchemy 2.1 takes for it is psycopg 3, to which MLflow sends ids of the wrong type."""


@dataclass(frozen=True)
class Project:
    """A folder with agents, prompts and golden files, and the state that runs leave there."""

    root: Path
    settings: Settings

    @classmethod
    def find(cls, start: Path | None = None) -> Project:
        """Return the project that holds `start` (default: the working directory).

        The root is the nearest folder upwards with a pyproject.toml, a langgraph.json, a .git
        or the state of earlier runs; a folder without any of them is its own project, with
        default settings.

        Raises:
            ProjectError: a settings file is not valid.
        """
        here = (start or _working_folder()).resolve()
        for folder in (here, *here.parents):
            if any((folder / marker).exists() for marker in _MARKERS):
                return cls(root=folder, settings=_read_settings(folder))
        return cls(root=here, settings=Settings())

    @classmethod
    def here(cls) -> Project | None:
        """Return the project of the working directory, as read once; None where it is broken.

        For programs that only record: the commands tell what is broken.
        """
        try:
            return _usable(_working_folder())
        except ProjectError:
            return None

    @cached_property
    def redactor(self) -> Redactor:
        """What is kept out of every store, as the settings say.

        Raises:
            ProjectError: the function that they name cannot be imported.
        """
        return Redactor.of(self)

    @property
    def state(self) -> Path:
        """The folder for everything that runs leave: store, journals, artifacts."""
        return Path(os.environ.get("LINENOTES_STATE") or self.root / ".linenotes").absolute()

    @property
    def runs(self) -> Path:
        """The folder that holds one folder a run, each with its journal."""
        return self.state / "runs"

    @property
    def live(self) -> Path:
        """The folder that holds one file for each recording that is going on."""
        return self.state / "live"

    def make_state(self) -> Path:
        """Return the state folder, made if need be, and kept out of git.

        A folder that cannot be written is told by whoever writes into it.
        """
        state = self.state
        ignored = state / ".gitignore"
        if not ignored.exists():
            with suppress(OSError):
                state.mkdir(parents=True, exist_ok=True)
                ignored.write_text("*\n", encoding="utf-8")
        return state

    @property
    def experiment(self) -> str:
        """The name of the MLflow experiment."""
        return (
            os.environ.get("MLFLOW_EXPERIMENT_NAME") or self.settings.experiment or self.root.name
        )

    @property
    def tracking_uri(self) -> str:
        """The MLflow store: the environment's, else the settings', else sqlite in `state`."""
        named = os.environ.get("MLFLOW_TRACKING_URI") or self.settings.tracking_uri
        if named and named.startswith(_POSTGRESQL):
            return named.replace(_POSTGRESQL, _DRIVEN, 1)
        return named or f"sqlite:///{self.state / 'mlflow.db'}"


@lru_cache(maxsize=32)
def _usable(folder: Path) -> Project:
    project = Project.find(folder)
    _ = project.redactor  # whose function may not import
    return project


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise ProjectError(f"The working directory is gone: {error.strerror}. Change it.") from None


def _read_settings(root: Path) -> Settings:
    table = _tool_table(root / "pyproject.toml")
    graphs = _langgraph_graphs(root / "langgraph.json")
    try:
        settings = Settings.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ProjectError(
            f"{root / 'pyproject.toml'}: [tool.linenotes] {where}: {first['msg']}. "
            "Mend that key; docs/settings.md lists them all."
        ) from None
    if not graphs:
        return settings
    found = {name: AgentSettings(graph=graph) for name, graph in graphs.items()}
    return settings.model_copy(update={"agents": {**found, **settings.agents}})


def _tool_table(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProjectError(f"{path}: cannot be read: {error.strerror}. Mend the file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path}: not valid TOML: {error}. Mend the file.") from None
    tool = document.get("tool", {})
    table = tool.get("linenotes", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ProjectError(f"{path}: [tool.linenotes] must be a table, not {table!r}.")
    return table


def _langgraph_graphs(path: Path) -> dict[str, str]:
    """Return name to `path.py:attr` of LangGraph's own project file, if there is one."""
    if not path.exists():
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ProjectError(f"{path}: not valid JSON: {error}. Mend the file.") from None
    graphs = document.get("graphs", {}) if isinstance(document, dict) else None
    if not isinstance(graphs, dict):
        raise ProjectError(f'{path}: "graphs" must map a name to "path.py:attr".')
    # A graph is a string, or since LangGraph CLI 0.3 a table with the string under "path".
    named = {k: v.get("path") if isinstance(v, dict) else v for k, v in graphs.items()}
    for name, graph in named.items():
        if not isinstance(graph, str) or ":" not in graph:
            raise ProjectError(f'{path}: graph {name!r} must be "path.py:attr", not {graph!r}.')
    return {name: str(graph) for name, graph in named.items()}
