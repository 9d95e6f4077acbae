"""The garbage collector while samples run.

Python's collector looks through every object now and then, and the libraries that an evaluation
imports hold half a million of them, none of which ever becomes garbage.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def settled_objects_spared() -> Iterator[None]:
    """Leave the objects that exist by now out of garbage collections inside the block."""
    if gc.get_freeze_count():  # somebody else has done so, and knows until when
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
