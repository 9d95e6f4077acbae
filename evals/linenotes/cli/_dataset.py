"""`linenotes dataset`: check golden files."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.datasets import Dataset

_EPILOG = """\b
Examples:
  linenotes dataset validate cases.jsonl
  linenotes dataset validate support-desk --json
"""


@click.group()
def command() -> None:
    """Check golden files."""


@command.command(epilog=_EPILOG)
@click.argument("dataset")
@json_option
def validate(dataset: str, as_json: bool) -> int:
    """Check a golden file, or a dataset by name, and say what it holds.

    All problems are listed at once, each with its line.
    """
    from linenotes.cli._console import console, print_json, table
    from linenotes.datasets import load_dataset
    from linenotes.project import Project

    found = load_dataset(dataset, Project.find())
    document = _document(found)
    if as_json:
        print_json(document)
        return 0
    out = console()
    out.print(f"{found.name} is valid: {len(found.cases)} cases, digest {found.digest[:12]}.")
    splits = _splits(found)
    out.print(table([("split", "cases", "clusters"), *((s, str(n), str(c)) for s, n, c in splits)]))
    return 0


def _document(dataset: Dataset) -> dict[str, JsonValue]:
    return {
        "schema_version": 1,
        "name": dataset.name,
        "digest": dataset.digest,
        "n": len(dataset.cases),
        "splits": {split: cases for split, cases, _ in _splits(dataset)},
    }


def _splits(dataset: Dataset) -> list[tuple[str, int, int]]:
    """Return (split, cases, clusters), in the order of the file."""
    cases = Counter(case.split or "(none)" for case in dataset.cases)
    clusters = {
        split: {c.cluster for c in dataset.cases if (c.split or "(none)") == split and c.cluster}
        for split in cases
    }
    return [(split, count, len(clusters[split])) for split, count in cases.items()]
