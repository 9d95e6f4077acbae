"""What `scorers` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from linenotes.evals.documents._part import Document, Part

if TYPE_CHECKING:
    from linenotes.evals.scorers._listing import ListedScorer


class ScorerDocument(Part):
    """A scorer that can be named."""

    name: str
    line: str
    """What it does."""
    example: str
    """How it is named in `--scorer` and in pyproject.toml."""
    built_in: bool
    """False for those of `[tool.linenotes.scorers]`."""


class ScorersDocument(Part):
    """`scorers --json`."""

    schema_version: Literal[1] = 1
    scorers: list[ScorerDocument]
    """Those of the project first."""


def scorers_document(listed: Sequence[ListedScorer]) -> Document:
    """Return the scorers as the JSON contract has them."""
    return ScorersDocument(
        scorers=[
            ScorerDocument(name=one.name, line=one.line, example=one.example, built_in=one.built_in)
            for one in listed
        ]
    ).dump()
