"""Which recordings the last run used: what pruning keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from linenotes.project import digest
from linenotes.tracing.recordings._recorded_call import CallKey

_NAME = "last-use.json"


@dataclass(frozen=True)
class LastUse:
    """What a run executed, and which recordings it used or made."""

    samples: frozenset[tuple[str, int]]
    used: frozenset[str]
    """Digests of the keys."""
    models: frozenset[str]
    """The models that it asked."""

    def leaves_out(self, key: CallKey) -> bool:
        """Tell whether the run executed the call's sample without that call."""
        return (key.case, key.sample) in self.samples and _short(key) not in self.used


def note_use(folder: Path, samples: Iterable[tuple[str, int]], used: Collection[CallKey]) -> None:
    """Keep what a run used; a folder that cannot be written loses only this."""
    document = {
        "samples": sorted(samples),
        "used": sorted(map(_short, used)),
        "models": sorted({key.model for key in used if key.kind == "model"}),
    }
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _NAME).write_bytes(orjson.dumps(document))


def last_use(folder: Path) -> LastUse | None:
    """Return what the last run used; None where nobody knows."""
    try:
        document = orjson.loads((folder / _NAME).read_bytes())
        samples = frozenset((str(case), int(sample)) for case, sample in document["samples"])
        return LastUse(samples, frozenset(document["used"]), frozenset(document["models"]))
    except (OSError, KeyError, TypeError, ValueError):
        return None


def _short(key: CallKey) -> str:
    return digest(list(key))[:24]
