"""The recordings of one agent on one dataset, open for an evaluation.

What there is, is read when the first sample asks for it; what is new goes into a side file at once
and into the file at the end. The library also knows what was used, so that the rest can be told.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from linenotes.project import Project, RecordingError, RecordingSettings
from linenotes.tracing.recordings._drawer import Drawer
from linenotes.tracing.recordings._last_use import note_use
from linenotes.tracing.recordings._network_guard import Target, with_addresses
from linenotes.tracing.recordings._policy import RecordingPolicy
from linenotes.tracing.recordings._recorded_call import CallKey, RecordedCall
from linenotes.tracing.recordings._recording_file import Lines, RecordingFile
from linenotes.tracing.recordings._side_files import SideFile, SideFiles

SampleOf = tuple[str, int]


@dataclass(frozen=True)
class RecordingUse:
    """What became of the calls of an evaluation, and of the recordings that it had."""

    policy: RecordingPolicy
    path: str
    replayed: int
    """Calls of models and tools that a recording stood in for."""
    called: int
    """Calls that were made."""
    recorded: int
    stale: int
    """Calls whose recordings another model had made."""
    unused: tuple[CallKey, ...]
    """Recordings of the executed samples that nothing asked for."""
    absent: tuple[str, ...]
    """Agents that should be called for real, and of which no call came."""
    unrecorded: Mapping[str, int]
    """Host with port to the samples that sent something there which no recording stands in for."""
    set_aside: int
    """Lines of ended processes that hold no call."""
    set_aside_in: str
    """The file where they are."""


class Library:
    """Opens the recordings of an agent on a dataset. Safe to use from several threads."""

    def __init__(
        self,
        project: Project,
        policy: RecordingPolicy,
        *,
        dataset: str,
        agent: str,
        is_answer: Callable[[BaseException], bool],
        own_hosts: Iterable[str] = (),
    ) -> None:
        """Take how calls and recordings meet, and which exceptions are answers."""
        self.policy = policy
        self.file = RecordingFile.of(project, dataset=dataset, agent=agent)
        self.is_answer = is_answer
        self.settings: RecordingSettings = project.settings.recordings
        self.project = project
        self.allowed_hosts = with_addresses({*self.settings.allowed_hosts, *own_hosts})
        """Hosts that may be reached during a replay."""
        self._sides = SideFiles(project, self.file)
        self._lock = threading.RLock()
        self._drawers: dict[SampleOf, Drawer] = {}
        self._side: SideFile | None = None
        self._used: set[CallKey] = set()
        self._executed: set[SampleOf] = set()
        self._seen_live: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._unrecorded: dict[tuple[str, int | None], set[SampleOf]] = defaultdict(set)
        self._is_closed = False

    def __enter__(self) -> Self:
        self._fold()
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        try:
            self.close()
        except RecordingError as own:
            if error is None:
                raise
            error.add_note(str(own))  # what ended the block matters more, and nothing is lost

    def close(self) -> None:
        """Put what was recorded into the file.

        Raises:
            RecordingError: it cannot be written; what was recorded stays beside it.
        """
        with self._lock, ExitStack() as ending:
            side, self._side = self._side, None
            self._is_closed = True
            if self.policy.records:  # maybe in worker processes, which have ended by now
                ending.callback(self._fold)
            if side is not None:
                ending.callback(side.close)
        if self._executed or self._used:
            note_use(self._sides.folder, self._executed, self._used)

    def _fold(self) -> None:
        self._counts["set aside"] += self._sides.fold()

    @contextmanager
    def drawer(self, case: str, sample: int) -> Iterator[Drawer]:
        """Give the recordings of a sample to one execution of it."""
        key = (case, sample)
        with self._lock:
            found = self._drawers.get(key) or self._drawers.setdefault(key, self._opened(key))
            found.users += 1
        try:
            yield found
        finally:
            with self._lock:
                found.users -= 1
                if not found.users:
                    del self._drawers[key]

    def note(self, what: str, key: CallKey | None = None) -> None:
        """Count what became of a call, and that a recording was used."""
        with self._lock:
            self._counts[what] += 1
            if key is not None:
                self._used.add(key)

    def note_executed(self, case: str, sample: int) -> None:
        """Note that a sample made all the calls that it makes: what is left over is unused."""
        with self._lock:
            self._executed.add((case, sample))

    def note_live(self, name: str) -> None:
        """Note that an agent was there to be called for real."""
        self._seen_live.add(name)

    def keep(self, call: RecordedCall) -> None:
        """Keep a call that was made.

        Raises:
            RecordingError: it cannot be written.
        """
        line = call.line()
        with self._lock:
            if self._is_closed:
                return  # a stream that somebody forgot, and that is tidied up now
            if self._side is None:
                self._side = self._sides.open()
            self._side.append(line)
            self._fresh.add(line)
        self.note("recorded", call.key)

    def elsewhere(self) -> Iterator[RecordedCall]:
        """Yield the recordings of all samples."""
        yield from self._lines.all_calls().values()

    def note_unrecorded(self, case: str, sample: int, targets: Iterable[Target]) -> None:
        """Note where a sample sent something that no recording will stand in for."""
        with self._lock:
            for target in targets:
                self._unrecorded[target.host, target.port].add((case, sample))

    @property
    def use(self) -> RecordingUse:
        """What became of the calls so far."""
        with self._lock:
            return RecordingUse(
                policy=self.policy,
                path=str(self.file.path),
                replayed=self._counts["replayed"],
                called=self._counts["called"],
                recorded=self._counts["recorded"],
                stale=self._counts["stale"],
                unused=tuple(self._unused()),
                absent=tuple(n for n in self.policy.live if n not in self._seen_live),
                unrecorded=dict(self._unrecorded_places()),
                set_aside=self._counts["set aside"],
                set_aside_in=str(self._sides.set_aside),
            )

    def _unused(self) -> Iterator[CallKey]:
        if self.policy.replays:
            for case, sample in sorted(self._executed & self._lines.samples.keys()):
                left = self._lines.calls(case, sample).keys() - self._used
                yield from sorted(key for key in left if not self._is_live(key))

    def _unrecorded_places(self) -> Iterator[tuple[str, int]]:
        """Yield places by name; a socket knows the address alone, and would tell it twice."""
        same = {
            (address, port)
            for host, port in self._unrecorded
            for address in with_addresses({host}) - {host}
        }
        for (host, port), samples in sorted(self._unrecorded.items(), key=str):
            if (host, port) not in same:
                yield Target(host, port).place, len(samples)

    def _is_live(self, key: CallKey) -> bool:
        from linenotes.tracing.recordings._places import names_in

        return not names_in(key.agent).isdisjoint(self.policy.live)

    def _opened(self, key: SampleOf) -> Drawer:
        # Everything that is to be recorded anew is asked once for all versions nevertheless.
        old = self._lines.calls(*key) if self.policy.replays else {}
        return Drawer({**old, **self._fresh.calls(*key)}.values())

    @cached_property
    def _lines(self) -> Lines:
        return self.file.lines()

    @cached_property
    def _fresh(self) -> Lines:
        return Lines()
