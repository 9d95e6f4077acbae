"""The desk's memory: messages of other customers, with the team and the intent that were right.

A message resembles another by its words (single ones and pairs) or by its letters (runs of two to
four within a word, so that `expiry` is near `expires`). The two views err on different messages,
which is what makes a second opinion worth having. Everything here comes from the train split of
CLINC150, so no golden case is ever among the neighbours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

View = Literal["letters", "words"]

_VIEWS: dict[View, dict[str, object]] = {
    "letters": {"analyzer": "char_wb", "ngram_range": (2, 4)},
    "words": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"\S+"},
}


@dataclass(frozen=True, slots=True)
class Example:
    """A message, and what the desk should have decided."""

    text: str
    team: str
    intent: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An example that resembles a message."""

    example: Example
    similarity: float
    """From 0, nothing in common, to 1, the same words or letters."""


class Examples:
    """Examples that can be searched by resemblance."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = tuple(examples)
        texts = [example.text for example in examples]
        self._fitted = {view: _fit(texts, settings) for view, settings in _VIEWS.items()}

    def nearest(
        self,
        text: str,
        *,
        count: int,
        views: Sequence[View] = ("letters", "words"),
        team: str | None = None,
    ) -> list[Neighbour]:
        """Return the `count` examples that resemble `text` most, the nearest first.

        Args:
            text: a customer's message.
            count: how many, or fewer where there are no more.
            views: the views whose similarities are averaged.
            team: search among this team's examples only.
        """
        similarities = np.mean([self._similarities(text, view) for view in views], axis=0)
        order = np.argsort(-similarities, kind="stable")
        found = (Neighbour(self._examples[i], float(similarities[i])) for i in order)
        wanted = (n for n in found if team in (None, n.example.team))
        return [neighbour for neighbour, _ in zip(wanted, range(count), strict=False)]

    def _similarities(self, text: str, view: View) -> NDArray[np.float64]:
        vectorizer, vectors = self._fitted[view]
        similarities: NDArray[np.float64] = (vectors @ vectorizer.transform([text]).T).toarray()
        return similarities[:, 0]


def _fit(texts: list[str], settings: dict[str, object]) -> tuple[TfidfVectorizer, ...]:
    vectorizer = TfidfVectorizer(sublinear_tf=True, **settings)
    return vectorizer, vectorizer.fit_transform(texts)


@cache
def shipped_examples() -> Examples:
    """Return the 3,100 examples that come with the desk: 20 of each intent, 100 out of scope."""
    lines = resources.files(__package__).joinpath("examples.jsonl").read_text(encoding="utf-8")
    return Examples([Example(**json.loads(line)) for line in lines.splitlines()])
