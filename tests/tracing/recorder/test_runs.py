"""The records of what ran inside what."""

from __future__ import annotations

import gc
import random
import re
from collections.abc import Callable
from typing import Any

from linenotes.tracing import record
from linenotes.tracing.recorder._entries import Entry
from linenotes.tracing.recorder._runs import Run, new_span_id


def test_ids_of_spans_differ_whatever_the_user_seeds() -> None:
    ids = set()
    for _ in range(100):
        random.seed(7)
        ids.add(new_span_id())
    assert len(ids) == 100
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in ids)


def test_a_finished_recording_leaves_nothing_to_the_garbage_collector(
    chain: Callable[..., Any],
) -> None:
    graph = chain()
    gc.collect()
    gc.disable()
    try:
        with record() as ledger:
            graph.invoke({"question": "Hello."})
        assert len(ledger.trace.messages) == 4
        left = [one for one in gc.get_objects() if isinstance(one, Run | Entry)]
    finally:
        gc.enable()
    assert not left
