"""The scorers that can be named in a project."""

from __future__ import annotations

from dataclasses import dataclass

from linenotes.evals.scorers._catalogue import BUILT_IN
from linenotes.project import Project


@dataclass(frozen=True)
class ListedScorer:
    """A scorer that can be named."""

    name: str
    line: str
    """What it does."""
    example: str
    """How it is named."""
    built_in: bool


def list_scorers(project: Project) -> list[ListedScorer]:
    """Return the scorers of the project's settings, then the built-in ones."""
    own = [
        ListedScorer(name, f"As pyproject.toml has it: {spec}", name, built_in=False)
        for name, spec in project.settings.scorers.items()
    ]
    return own + [
        ListedScorer(name, one.line, one.example, built_in=True)
        for name, one in BUILT_IN.items()
        if name not in project.settings.scorers
    ]
