"""What the verbs about recordings print: `recordings list`, `show`, `prune`, `verify`, `merge`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field, JsonValue

from linenotes.evals.documents._part import Document, Part

if TYPE_CHECKING:
    from linenotes.tracing import (
        CallKey,
        Merged,
        Pruned,
        RecordedCall,
        RecordingsSummary,
        RecordingUse,
        Verified,
    )


class RecordingUseDocument(Part):
    """What became of the calls of a run and of the recordings that it had."""

    path: str
    """The file."""
    record: Literal["none", "auto", "all"]
    replay: bool
    """Whether a call without a recording was an error."""
    live: list[str]
    """Agents that were called for real."""
    replayed: int
    """Calls of models and tools, of all versions of the agent together."""
    called: int
    recorded: int
    stale: int
    """Calls whose recordings another model had made."""
    unused: int
    """Recordings of the executed samples that nothing asked for."""
    unrecorded: dict[str, int]
    """Host with port to how many samples called there past the recordings: a replay refuses it."""
    set_aside: int
    """Lines that an earlier process had recorded and that could not be read."""


class RecordingsFileDocument(Part):
    """One file of recordings."""

    path: str
    dataset: str
    agent: str
    cases: int
    samples: int
    calls: int
    models: dict[str, int]
    """Calls by the model that was configured."""
    tools: dict[str, int]
    bytes: int
    first: str
    """When its oldest recording was made, as ISO 8601 in UTC."""
    last: str


class RecordingsListDocument(Part):
    """`recordings list --json`."""

    schema_version: Literal[1] = 1
    files: list[RecordingsFileDocument]


class CallKeyDocument(Part):
    """What a recorded call is known by."""

    case: str
    sample: int
    agent: str
    """The path of the agent that called."""
    kind: Literal["model", "tool"]
    model: str
    """The model as it was configured; of a tool its name."""
    request: str
    """The fingerprint of what was asked."""
    ordinal: int
    """Which of the equal requests of this agent it is, from 0."""


class RecordedCallDocument(CallKeyDocument):
    """One recorded call."""

    answer: Literal["message", "value", "refusal", "runs", "unstorable"]
    """`runs`: code in which other calls are recorded; `unstorable`: no file holds what it gave."""
    answered_by: str | None
    """The id of the model that really answered."""
    seconds: float
    recorded: str
    """When, as ISO 8601 in UTC."""
    asked: JsonValue = Field(description="What was asked.")
    content: JsonValue = Field(description="What was answered.")


class RecordingsShowDocument(Part):
    """`recordings show --json`."""

    schema_version: Literal[1] = 1
    calls: list[RecordedCallDocument]


class PrunedDocument(Part):
    """What went out of a file."""

    path: str
    removed: list[CallKeyDocument]
    kept: int
    dataset_known: bool
    """False where nobody could say which cases there are."""


class RecordingsPruneDocument(Part):
    """`recordings prune --json`."""

    schema_version: Literal[1] = 1
    dry_run: bool
    files: list[PrunedDocument]


class VerifiedDocument(Part):
    """What is amiss in a file."""

    path: str
    calls: int
    problems: list[str]
    stale: dict[str, int]
    """Models that the last run did not ask, with how many calls they have answered."""


class RecordingsVerifyDocument(Part):
    """`recordings verify --json`."""

    schema_version: Literal[1] = 1
    files: list[VerifiedDocument]


class RecordingsMergeDocument(Part):
    """`recordings merge --json`."""

    schema_version: Literal[1] = 1
    path: str
    written: bool
    calls: int
    conflicts: list[CallKeyDocument]
    """Calls that were answered in different ways."""


def recordings_list_document(found: Sequence[RecordingsSummary]) -> Document:
    """Return what `recordings list` prints."""
    return RecordingsListDocument(
        files=[RecordingsFileDocument(**{**vars(one), "path": str(one.path)}) for one in found]
    ).dump()


def recordings_show_document(found: Sequence[RecordedCall]) -> Document:
    """Return what `recordings show` prints."""
    return RecordingsShowDocument(
        calls=[
            RecordedCallDocument(
                **call.key._asdict(),
                answer=call.answer,
                answered_by=call.answered_by,
                seconds=call.seconds,
                recorded=call.recorded,
                asked=call.asked,
                content=call.content,
            )
            for call in found
        ]
    ).dump()


def recordings_prune_document(found: Sequence[Pruned], *, dry_run: bool) -> Document:
    """Return what `recordings prune` prints."""
    files = [
        PrunedDocument(
            path=str(one.path),
            removed=_keys(one.removed),
            kept=one.kept,
            dataset_known=one.is_dataset_known,
        )
        for one in found
    ]
    return RecordingsPruneDocument(dry_run=dry_run, files=files).dump()


def recordings_verify_document(found: Sequence[Verified]) -> Document:
    """Return what `recordings verify` prints."""
    files = [
        VerifiedDocument(
            path=str(one.path),
            calls=one.calls,
            problems=list(one.problems),
            stale=dict(one.stale),
        )
        for one in found
    ]
    return RecordingsVerifyDocument(files=files).dump()


def recordings_merge_document(found: Merged, *, written: bool) -> Document:
    """Return what `recordings merge` prints."""
    return RecordingsMergeDocument(
        path=str(found.path),
        written=written,
        calls=found.calls,
        conflicts=_keys(found.conflicts),
    ).dump()


def recording_use_document(use: RecordingUse) -> RecordingUseDocument:
    """Return what became of the calls of a run."""
    return RecordingUseDocument(
        path=use.path,
        record=use.policy.record,
        replay=use.policy.is_closed,
        live=list(use.policy.live),
        replayed=use.replayed,
        called=use.called,
        recorded=use.recorded,
        stale=use.stale,
        unused=len(use.unused),
        unrecorded=dict(use.unrecorded),
        set_aside=use.set_aside,
    )


def _keys(found: Sequence[CallKey]) -> list[CallKeyDocument]:
    return [CallKeyDocument(**key._asdict()) for key in found]
