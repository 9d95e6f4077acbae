"""The garbage collector while samples run.

Python's collector looks through every object now and then, and the libraries that an evaluation
imports hold half a million of them, none of which ever becomes garbage. And it looks at the young
ones after every 700, which with many samples in flight are nearly all in use.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 20_000
"""New objects between two looks at them: some megabytes."""


@contextmanager
def settled_objects_spared() -> Iterator[None]:
    """Leave the objects that exist by now out of garbage collections inside the block.

    Those that come are looked at less often. A process that has frozen objects itself, or that
    collects less often already, keeps its own way in that.
    """
    thresholds = gc.get_threshold()
    freezes = not gc.get_freeze_count()
    if 0 < thresholds[0] < _YOUNG:
        gc.set_threshold(_YOUNG, *thresholds[1:])
    if freezes:
        gc.freeze()
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        if freezes:
            gc.unfreeze()
