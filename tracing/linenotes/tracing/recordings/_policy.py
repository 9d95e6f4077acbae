"""What is asked of recordings: whether calls are recorded, replayed, or made for real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from linenotes.project import Project, RecordingError

RecordMode = Literal["none", "auto", "all"]


@dataclass(frozen=True, kw_only=True)
class RecordingPolicy:
    """How the calls of an evaluation meet its recordings.

    Raises:
        RecordingError: two wishes contradict one another.
    """

    record: RecordMode = "none"
    """`auto` replays what is recorded and records the rest; `all` calls and records everything."""
    replay: bool = False
    """Call nothing: what is not recorded is an error."""
    live: tuple[str, ...] = ()
    """Agents that are called for real while the others are replayed."""
    strict: bool = False
    """Recordings that the executed samples did not use fail the run."""

    def __post_init__(self) -> None:
        if self.replay and self.record != "none":
            raise RecordingError(
                f"A replay calls nothing, so it has nothing to record (record={self.record!r}). "
                "Leave out one of the two; record='auto' replays what there is."
            )
        if self.live and self.record == "all":
            raise RecordingError(
                f"record='all' calls every agent for real, not only {', '.join(self.live)}. "
                "Leave out one of the two; record='auto' records what is new."
            )
        if self.strict and not self.replays:
            raise RecordingError(
                "Nothing is replayed, so unused recordings mean nothing. Ask for a replay as well."
            )

    @classmethod
    def of(cls, project: Project) -> RecordingPolicy:
        """Return what the project's settings ask for."""
        return cls(record=project.settings.recordings.record)

    @property
    def is_on(self) -> bool:
        """Whether recordings matter at all."""
        return self.record != "none" or self.is_closed

    @property
    def is_closed(self) -> bool:
        """Whether a call without a recording is an error."""
        return self.record == "none" and (self.replay or bool(self.live))

    @property
    def replays(self) -> bool:
        """Whether a recording stands in for a call."""
        return self.record == "auto" or self.is_closed

    @property
    def records(self) -> bool:
        """Whether calls that are made are recorded."""
        return self.record != "none"
