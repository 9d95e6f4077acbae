from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from linenotes.evals.engine._garbage import settled_objects_spared


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


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
    with pytest.raises(ValueError, match="stop"), settled_objects_spared():
        raise ValueError("stop")
    assert gc.get_freeze_count() == 0


def test_objects_that_somebody_else_froze_stay_frozen() -> None:
    gc.freeze()
    with settled_objects_spared():
        pass
    assert gc.get_freeze_count() > 0
