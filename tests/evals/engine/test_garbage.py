from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from linenotes.evals.engine._garbage import settled_objects_spared


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    thresholds = gc.get_threshold()
    gc.unfreeze()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


class Knot:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.own = self


def test_what_becomes_garbage_in_the_block_is_collected_there() -> None:
    with settled_objects_spared():
        knot = weakref.ref(Knot())
        gc.collect()
        assert knot() is None


def test_what_was_there_before_is_collected_after_the_block() -> None:
    knot = Knot()
    seen = weakref.ref(knot)
    with settled_objects_spared():
        del knot
        gc.collect()
        assert seen() is not None
    gc.collect()
    assert seen() is None


def test_an_exception_ends_it() -> None:
    before = gc.get_threshold()
    with pytest.raises(ValueError, match="stop"), settled_objects_spared():
        raise ValueError("stop")
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == before


def test_objects_that_somebody_else_froze_stay_frozen() -> None:
    gc.freeze()
    with settled_objects_spared():
        pass
    assert gc.get_freeze_count() > 0


@pytest.mark.parametrize(("own", "inside"), [(700, 20_000), (50_000, 50_000), (0, 0)])
def test_new_objects_are_looked_at_less_often_but_never_more(own: int, inside: int) -> None:
    gc.set_threshold(own, 10, 10)
    with settled_objects_spared():
        assert gc.get_threshold() == (inside, 10, 10)
