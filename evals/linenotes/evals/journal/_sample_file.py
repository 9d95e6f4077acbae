"""The samples of a run on disk: one line each, with output and trace, read when asked for.

So a run of any size holds in memory only where its samples stand. The journal says where: a line
that it does not know of was never finished, and is cut off when the file is opened again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import orjson
from pydantic import JsonValue, TypeAdapter

from linenotes.datasets import Case
from linenotes.evals.journal._appending import AppendOnlyFile
from linenotes.evals.journal._samples import Failure, Sample, SampleKey
from linenotes.tracing import Trace

FILE_NAME = "samples.jsonl"

_FAILURE = TypeAdapter(Failure | None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sample stands in the file, in bytes."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """Where the next one may stand."""
        return self.offset + self.length


@dataclass(frozen=True, eq=False)
class StoredSamples(Mapping[SampleKey, Sample]):
    """The finished samples of a run; each is read from the disk when it is looked up."""

    path: Path
    cases: Mapping[str, Case]
    places: Mapping[SampleKey, Place] = field(default_factory=dict)

    def __getitem__(self, key: SampleKey) -> Sample:
        line = orjson.loads(_read(self.path, self.places[key]))
        return Sample(
            case=self.cases[key[0]],
            index=key[1],
            output=cast("JsonValue", line["output"]),
            trace=Trace.from_json(orjson.dumps(line["trace"])),
            error=_FAILURE.validate_python(line["error"]),
        )

    def __contains__(self, key: object) -> bool:
        return key in self.places

    def __iter__(self) -> Iterator[SampleKey]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


def write_sample(file: AppendOnlyFile, sample: Sample) -> Place:
    """Write a sample behind the others and return where it stands.

    Raises:
        OSError: it cannot be written; nothing of it was.
    """
    line = orjson.dumps(
        {
            "case": sample.case.id,
            "sample": sample.index,
            "output": sample.output,
            "error": sample.error,
            "trace": orjson.Fragment(sample.trace.to_json()),
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )
    return Place(file.append(line), len(line))


def _read(path: Path, place: Place) -> bytes:
    file = os.open(path, os.O_RDONLY)
    try:
        return os.pread(file, place.length, place.offset)
    finally:
        os.close(file)
