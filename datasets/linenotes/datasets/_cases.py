"""Cases and datasets: what is asked.

A case is one golden example; a dataset is named cases in the order of their file. The digest of
a dataset is its version: it comes from the cases' content alone, so a file may change its
format, its name or the order of its rows and stays the same version. A part of a dataset is
other content, and so has a digest of its own.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints

from linenotes.datasets._json_values import check_json_values
from linenotes.project import DatasetError, Redactor, digest

Name = Annotated[str, StringConstraints(pattern=r"^\S(.*\S)?$")]
"""One line of text, not empty, without space at either end."""

Values = Annotated[dict[str, JsonValue], BeforeValidator(check_json_values)]
"""A JSON object that every store and every digest can hold."""


class Case(BaseModel):
    """One golden example: what the agent gets, and what is right."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )

    id: Name
    """The name of the case, unique in its dataset. Results are kept under it: do not reuse it."""
    inputs: Values = Field(min_length=1)
    """What the graph is invoked with, verbatim. No two cases of a dataset have equal inputs."""
    expectations: Values = Field(default_factory=dict)
    """What is right, by name, for scorers to compare with."""
    tags: Annotated[dict[Name, str], BeforeValidator(check_json_values)] = Field(
        default_factory=dict
    )
    """Names and values to slice the results by."""
    split: Name | None = None
    """The part that the case belongs to, such as `val` or `test`."""
    cluster: Name | None = None
    """Cases with one cluster tell of one situation and are not counted as independent."""
    weight: float = Field(default=1.0, ge=1e-9, le=1e9)
    """How much the case counts in a mean over cases."""

    def redacted(self, redactor: Redactor) -> Case:
        """Return the case as it may be stored: without secrets, long texts cut."""
        whole = self.model_dump()
        kept = redactor.value(whole)
        return self if kept is whole else Case.model_validate(kept)


@dataclass(frozen=True)
class Dataset:
    """Named cases with a content digest."""

    name: str
    cases: tuple[Case, ...]
    """In the order of the file; ids are unique."""
    source: Path | None = None
    """The golden file. None for a dataset that was made in Python."""

    def __post_init__(self) -> None:
        ids = Counter(case.id for case in self.cases)
        twice = sorted(case for case, count in ids.items() if count > 1)
        if twice:
            raise DatasetError(f"Dataset {self.name!r} has two cases {twice[0]!r}. Rename one.")

    @cached_property
    def digest(self) -> str:
        """The sha256, in 64 hex digits, of the cases sorted by id, as canonical JSON.

        A field that has its default does not count, so leaving it out is the same content.
        """
        by_id = sorted(self.cases, key=lambda case: case.id)
        return digest([case.model_dump(exclude_defaults=True) for case in by_id])

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that the cases name, sorted."""
        return tuple(sorted({case.split for case in self.cases if case.split is not None}))

    def case(self, case_id: str) -> Case:
        """Return the case `case_id`.

        Raises:
            DatasetError: there is none.
        """
        found = next((case for case in self.cases if case.id == case_id), None)
        if found is None:
            near = get_close_matches(case_id, (case.id for case in self.cases), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise DatasetError(f"Dataset {self.name!r} has no case {case_id!r}.{hint}")
        return found

    def select(self, split: str | None = None, limit: int | None = None) -> Dataset:
        """Return the cases of `split`, or all; of those at most `limit`, spread out.

        The limit deals cases one by one. A cluster or tag value is as common as the cases dealt
        so far make it; next is the case whose most common one is least common, of equals the
        one with the least when all of its own are added up, of equals the first in the file.
        So the cases are spread over tag values, and within these over clusters; a smaller limit
        takes a part of what a larger one takes; nothing is random. The file's order stays.

        Raises:
            DatasetError: no case has that split, or `limit` is not positive.
        """
        cases = self.cases if split is None else self._of_split(split)
        if limit is not None and limit < 1:
            raise DatasetError(f"The limit must be at least 1 case, not {limit!r}.")
        if limit is not None and limit < len(cases):
            cases = tuple(cases[index] for index in sorted(_spread(cases, limit)))
        return Dataset(self.name, cases, self.source)

    def _of_split(self, split: str) -> tuple[Case, ...]:
        if split not in self.splits:
            there = f"Its splits: {', '.join(self.splits)}." if self.splits else "It has none."
            raise DatasetError(f"Dataset {self.name!r} has no split {split!r}. {there}")
        return tuple(case for case in self.cases if case.split == split)


def _spread(cases: tuple[Case, ...], limit: int) -> Iterator[int]:
    """Give the indices that `select` deals, in the order of dealing."""
    dealt: Counter[tuple[str, str]] = Counter()
    waiting = [(0, 0, index) for index in range(len(cases))]
    while limit:
        *known, index = heapq.heappop(waiting)
        traits = _traits(cases[index])
        counts = [dealt[trait] for trait in traits]
        most, total = max(counts, default=0), sum(counts)
        # Counts only grow, so a case whose counts have not is still the least of all.
        if [most, total] != known:
            heapq.heappush(waiting, (most, total, index))
            continue
        dealt.update(traits)
        limit -= 1
        yield index


def _traits(case: Case) -> list[tuple[str, str]]:
    tags = [(f"tags.{name}", value) for name, value in case.tags.items()]
    return tags if case.cluster is None else [*tags, ("cluster", case.cluster)]
