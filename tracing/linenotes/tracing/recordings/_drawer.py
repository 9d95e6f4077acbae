"""The recordings of one sample while it is executed, by one version or by several at once.

Versions that ask the same share one call: whoever comes first makes it, the others wait. That pairs
what is random in it, and saves the call.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future

from linenotes.tracing.recordings._recorded_call import CallKey, RecordedCall

Answered = Future[RecordedCall | None]
"""Done with the recording, or with None where the call that was waited for gave none."""


class Drawer:
    """Finds recordings, and keeps who is being asked right now. Safe for several threads."""

    def __init__(self, calls: Iterable[RecordedCall]) -> None:
        self._lock = threading.Lock()
        self._calls: dict[CallKey, RecordedCall] = {}
        self._as_shown: dict[CallKey, RecordedCall] = {}
        self._asking: dict[CallKey, Answered] = {}
        self.users = 0
        """How many executions of the sample look into it."""
        for call in calls:
            self._add(call)

    def __iter__(self) -> Iterator[RecordedCall]:
        with self._lock:
            return iter(tuple(self._calls.values()))

    def find(self, key: CallKey) -> RecordedCall | None:
        """Return the recording of a call; also where the request holds placeholders by now."""
        with self._lock:
            return self._calls.get(key) or self._as_shown.get(key)

    def of_other_models(self, key: CallKey) -> list[RecordedCall]:
        """Return recordings of the same request that another model had answered."""
        asked = key._replace(model="")
        return [
            call
            for call in self
            if call.key.model != key.model and call.key._replace(model="") == asked
        ]

    def ask(self, key: CallKey) -> Answered | None:
        """Return None to whoever is to make the call, to all others what they can wait for."""
        with self._lock:
            waiting = self._asking.get(key)
            if waiting is None:
                self._asking[key] = Future()
            return waiting

    def put(self, call: RecordedCall) -> None:
        """Keep a call that was made."""
        with self._lock:
            self._add(call)

    def answer(self, key: CallKey, call: RecordedCall | None) -> None:
        """Tell those who wait for a call how it ended."""
        with self._lock:
            waiting = self._asking.pop(key, None)
        if waiting is not None:
            waiting.set_result(call)

    def _add(self, call: RecordedCall) -> None:
        self._calls[call.key] = call
        if call.shown_request is not None:
            self._as_shown.setdefault(call.key._replace(request=call.shown_request), call)
