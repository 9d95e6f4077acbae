"""Golden tests as pytest collects them: one item a case, and one for the verdict.

A test is a function with one set of its other parameters. Its name is that of its items without
the case, and its metric is what scores are kept under.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pytest

from linenotes.datasets import Case, Dataset
from linenotes.evals.journal._plans import IMPORTED
from linenotes.evals.journal._samples import Sample
from linenotes.evals.scorers._code_identity import code_identity
from linenotes.evals.suite._golden import DECLARED, Golden

VERDICT: Literal["verdict"] = "verdict"
"""The id of the item that is no case."""
ARGUMENT = "sample"
_UNFIT = re.compile(r"[^\w .-]+")


@dataclass(frozen=True)
class Cell:
    """What the parameter `sample` is while pytest collects: a case, or the verdict on all."""

    dataset: Dataset
    case: Case | None

    @property
    def id(self) -> str:
        """How the item is told from the others."""
        return self.case.id if self.case else VERDICT


@dataclass(frozen=True)
class GoldenTest:
    """A golden function with one set of its other parameters."""

    name: str
    """The ids of its items without the case: `tests/test_desk.py::test_routes`."""
    metric: str
    spec: str
    """Where the metric comes from."""
    code: str | None
    """The identity of what judges: of the function without its decorators, of what it stands on,
    and of its other parameters."""
    declared: Golden
    dataset: Dataset
    """All cases that it declares."""


@dataclass(frozen=True)
class Entry:
    """An item of a golden test."""

    item: pytest.Function
    test: GoldenTest
    case: Case | None
    """None for the verdict."""

    @property
    def is_skipped(self) -> bool:
        """Whether a mark skips it, as far as can be told without evaluating conditions."""
        skips = [mark.args and mark.args[0] is True for mark in self.item.iter_markers("skipif")]
        return any(skips) or self.item.get_closest_marker("skip") is not None

    def body(self, sample: Sample) -> object:
        """Call the function of the item with `sample`, and its fixtures and other parameters."""
        given = self.item.funcargs
        names = [name for name in inspect.signature(self.item.obj).parameters if name in given]
        return self.item.obj(**{**{name: given[name] for name in names}, ARGUMENT: sample})


def cells(function: Callable[..., object], dataset: Dataset) -> list[Cell]:
    """Return what becomes an item each: the cases, and the verdict at the end.

    Raises:
        CollectError: the function is no scorer of a sample, or a case is called as the verdict.
    """
    if ARGUMENT not in inspect.signature(function).parameters:
        raise pytest.Collector.CollectError(
            f"Golden test {function.__name__!r} takes no argument `{ARGUMENT}`. Add it: it is what "
            "the test judges."
        )
    if any(case.id == VERDICT for case in dataset.cases):
        raise pytest.Collector.CollectError(
            f"Dataset {dataset.name!r} has a case {VERDICT!r}, which is what the item with the "
            "verdict is called. Rename the case."
        )
    return [*(Cell(dataset, case) for case in dataset.cases), Cell(dataset, None)]


def entries(items: Sequence[pytest.Item]) -> Iterator[Entry]:
    """Yield the items that belong to golden tests, with their tests."""
    tests: dict[str, GoldenTest] = {}
    for item in items:
        declared = getattr(getattr(item, "function", None), DECLARED, None)
        if isinstance(item, pytest.Function) and isinstance(declared, Golden):
            cell = item.callspec.params[ARGUMENT]
            assert isinstance(cell, Cell)
            name = _name(item, cell)
            if name not in tests:
                tests[name] = _test(item, name, declared, cell)
            yield Entry(item, tests[name], cell.case)


def verdicts_last(items: list[pytest.Item]) -> None:
    """Put each verdict right behind the last case of its test; whatever else stays in order."""
    found = [*entries(items)]
    last = {entry.test.name: entry.item for entry in found if entry.case}
    behind: dict[pytest.Item, pytest.Item] = {
        last[entry.test.name]: entry.item
        for entry in found
        if not entry.case and entry.test.name in last
    }
    moved = set(behind.values())
    order = [item for item in items if item not in moved]
    items[:] = [one for item in order for one in (item, behind.get(item)) if one is not None]


def _name(item: pytest.Function, cell: Cell) -> str:
    others = _other_parameters(item, cell)
    path = item.nodeid.removesuffix(f"[{item.callspec.id}]")
    return path + (f"[{others}]" if others else "")


def _test(item: pytest.Function, name: str, declared: Golden, cell: Cell) -> GoldenTest:
    others = _other_parameters(item, cell)
    path = item.nodeid.removesuffix(f"[{item.callspec.id}]")
    functions = path.partition("::")[2].split("::")
    functions[-1] = functions[-1].removeprefix("test_")
    metric = ".".join(functions) + (f" {others}" if others else "")
    parameters = {one: value for one, value in item.callspec.params.items() if one != ARGUMENT}
    return GoldenTest(
        name=name,
        metric=_UNFIT.sub("_", metric).strip(),
        spec=f"{IMPORTED}pytest {name}",
        code=code_identity(item.function, parameters),
        declared=declared,
        dataset=cell.dataset,
    )


def _other_parameters(item: pytest.Function, cell: Cell) -> str:
    """Return the id of an item without its last part, which is the case's."""
    escaped = cell.id.encode("unicode_escape").decode("ascii")
    whole: str = item.callspec.id
    for own in (cell.id, escaped):
        if whole.endswith(own):
            return whole.removesuffix(own).removesuffix("-")
    return ""
