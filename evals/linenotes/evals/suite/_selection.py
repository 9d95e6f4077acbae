"""The items of golden tests that a session has selected, and what they ask for.

It is known before anything runs, and the same in every worker of a session: which cases are
executed for each test, and how many gates decide on the session together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.evals.suite._executing import RunName, run_name
from linenotes.evals.suite._golden_tests import Entry, GoldenTest, entries
from linenotes.project import RunError

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class Selection:
    """What is judged in a session."""

    entries: Mapping[str, Entry]
    """By the id of the item."""
    tests: Mapping[str, GoldenTest]
    wanted: Mapping[str, Collection[str]]
    """Of each test, the cases that are executed."""

    @classmethod
    def of(cls, items: Sequence[pytest.Item], *, verdicts_whole: bool) -> Selection:
        """Return what is selected by items.

        Args:
            items: all items of the session.
            verdicts_whole: a verdict needs all cases of its test, whichever are selected.
        """
        found = {entry.item.nodeid: entry for entry in entries(items)}
        tests = {entry.test.name: entry.test for entry in found.values()}
        wanted = {
            name: _wanted(test, _of(test, found.values()), whole=verdicts_whole)
            for name, test in tests.items()
        }
        return cls(found, tests, wanted)

    def has_all_cases(self, test: GoldenTest) -> bool:
        """Tell whether all cases of a test are executed, as its verdict needs."""
        return len(self.wanted[test.name]) == len(test.dataset.cases)

    @property
    def gates(self) -> int:
        """How many tests reach a verdict by a gate: a drop in any of them fails the session."""
        return sum(
            entry.case is None
            and not entry.is_skipped
            and entry.test.declared.gate is not None
            and self.has_all_cases(entry.test)
            for entry in self.entries.values()
        )

    def refuse_equal_metrics(self) -> None:
        """Refuse tests whose scores would be one another's.

        Raises:
            RunError: two tests of one run have scores of one name.
        """
        found: dict[tuple[RunName, str], str] = {}
        for test in self.tests.values():
            other = found.setdefault((run_name(test), test.metric), test.name)
            if other != test.name:
                raise RunError(
                    f"{other} and {test.name} would both score {test.metric!r} in one run. "
                    "Rename one of the functions."
                )


def _of(test: GoldenTest, among: Iterable[Entry]) -> Iterator[Entry]:
    return (entry for entry in among if entry.test.name == test.name)


def _wanted(test: GoldenTest, selected: Iterable[Entry], *, whole: bool) -> Collection[str]:
    """Return the cases that are executed: those selected, or all where only the verdict is."""
    items = [entry for entry in selected if not entry.is_skipped]
    cases = {entry.case.id for entry in items if entry.case}
    if any(entry.case is None for entry in items) and (whole or not cases):
        return {case.id for case in test.dataset.cases}
    return cases
