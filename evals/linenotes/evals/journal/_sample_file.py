"""The samples of a run on disk: one line each, with output and trace, read when asked for.

So a run of any size holds in memory only where its samples stand. The journal says where: a line
that it does not know of was never finished, and is cut off when the file is opened again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from pydantic import JsonValue, TypeAdapter

from linenotes.datasets import Case
from linenotes.evals.journal._appending import AppendOnlyFile
from linenotes.evals.journal._samples import Failure, Sample, SampleKey
from linenotes.tracing import Trace

FILE_NAME = "samples.jsonl"


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
        return read_sample(_read(self.path, self.places[key]), self.cases[key[0]])

    def __contains__(self, key: object) -> bool:
        return key in self.places

    def __iter__(self) -> Iterator[SampleKey]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the file, but for the case, which whoever reads it knows."""

    sample: int
    output: JsonValue
    error: Failure | None
    trace: Trace
    replayed: frozenset[str] = frozenset()


_LINE = TypeAdapter(_Line)


def write_sample(file: AppendOnlyFile, sample: Sample) -> Place:
    """Write a sample behind the others and return where it stands.

    Raises:
        OSError: it cannot be written; nothing of it was.
    """
    line = sample_line(sample) + b"\n"
    return Place(file.append(line), len(line))


def sample_line(sample: Sample) -> bytes:
    """Return a sample as one line of JSON; of its case only the id."""
    return orjson.dumps(
        {
            "case": sample.case.id,
            "sample": sample.index,
            "output": sample.output,
            "error": sample.error,
            "trace": orjson.Fragment(sample.trace.to_json()),
            **({"replayed": sorted(sample.replayed)} if sample.replayed else {}),
        }
    )


def read_sample(line: bytes, case: Case) -> Sample:
    """Return the sample of `case` that `sample_line` wrote."""
    read = _LINE.validate_json(line)
    return Sample(case, read.sample, read.output, read.trace, read.error, read.replayed)


def _read(path: Path, place: Place) -> bytes:
    file = os.open(path, os.O_RDONLY)
    try:
        return os.pread(file, place.length, place.offset)
    finally:
        os.close(file)
