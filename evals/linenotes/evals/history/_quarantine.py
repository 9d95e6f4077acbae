"""Cases that are known to be flaky: run and shown as ever, and left out of what decides.

They stand in `quarantine.yaml` in the project's root, which people edit and commit. An entry has
an owner and an expiry date: from the day after it, whatever decides on its dataset fails, and so
does a check, so that no case is forgotten there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from linenotes.evals._wording import counted, named
from linenotes.evals.journal._records import RunRecord
from linenotes.project import Project, ProjectError

if TYPE_CHECKING:
    import pandas as pd

FILE_NAME = "quarantine.yaml"
_HEAD = """\
# Cases that are run and shown, and do not gate. Once one has expired, gates on its dataset fail,
# and so does `linenotes flaky --check`.
"""


class QuarantinedCase(BaseModel):
    """One entry of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    case: str = Field(min_length=1)
    dataset: str = Field(min_length=1)
    """The name of the dataset that the case belongs to."""
    owner: str = Field(min_length=1)
    """Who sees to it."""
    expires: date
    """The last day on which it does not gate."""
    reason: str = Field(min_length=1)


@dataclass(frozen=True)
class Quarantine:
    """The quarantined cases as they stand on one day."""

    path: Path
    today: date
    entries: tuple[QuarantinedCase, ...] = ()
    """In the order of the file."""

    @property
    def active(self) -> tuple[QuarantinedCase, ...]:
        """Those that hold."""
        return tuple(entry for entry in self.entries if entry.expires >= self.today)

    @property
    def expired(self) -> tuple[QuarantinedCase, ...]:
        """Those that hold no more: each fails a check."""
        return tuple(entry for entry in self.entries if entry.expires < self.today)

    @property
    def cases(self) -> frozenset[str]:
        """The ids of the cases that do not gate."""
        return frozenset(entry.case for entry in self.active)

    @property
    def problems(self) -> tuple[str, ...]:
        """One sentence for each entry that has expired."""
        return tuple(
            f"The quarantine of case {one.case!r} ({one.dataset}) expired on {one.expires}: "
            f"{one.owner} has to mend it and take it out of {self.path.name}, or give it a "
            "later day and a reason there."
            for one in self.expired
        )

    def told(self, cases: Iterable[str]) -> Iterator[str]:
        """Say which of the cases that were run do not decide, and what has expired."""
        held = [case for case in cases if case in self.cases]
        if held:
            yield f"{counted(len(held), 'quarantined case')} run and not counted: {named(held)}."
        yield from self.problems

    def without(self, record: RunRecord) -> RunRecord:
        """Return the run as a gate sees it, without the cases that hold here."""
        out = self.cases
        if not any(case.id in out for case in record.plan.cases):
            return record
        plan, kept = record.plan, [case for case in record.plan.cases if case.id not in out]
        changes: dict[str, object] = {"cases": tuple(kept)}
        if plan.imported is not None:
            gone = sum(case in out for case, _ in record.outcomes)
            samples = plan.imported.samples - gone
            changes["imported"] = plan.imported.model_copy(update={"samples": samples})
        return replace(
            record,
            plan=plan.model_copy(update=changes),
            outcomes={key: one for key, one in record.outcomes.items() if key[0] not in out},
            scores={key: one for key, one in record.scores.items() if key[0] not in out},
        )

    def scores_without(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Return a table of scores without the cases that hold here."""
        return scores[~scores["case"].isin(self.cases)]


def deciding(record: RunRecord, quarantine: Quarantine | None) -> RunRecord:
    """Return a run as what decides sees it: without the cases that are in quarantine."""
    return quarantine.without(record) if quarantine else record


def quarantined(project: Project, dataset: str | None, today: date) -> Quarantine:
    """Return what is quarantined in `project` of `dataset`, or of all for None.

    Raises:
        ProjectError: the file is not valid; the message names its line.
    """
    path = project.root / FILE_NAME
    entries = _read(_text(path), path)
    chosen = tuple(one for one in entries if dataset is None or one.dataset == dataset)
    return Quarantine(path, today, chosen)


def quarantine(project: Project, entry: QuarantinedCase, today: date) -> Quarantine:
    """Append an entry to the file, whose text stays as it is, and return all that it holds.

    Raises:
        ProjectError: the case is there already, the date is past, or the file is not valid or
            cannot be written.
    """
    path = project.root / FILE_NAME
    if entry.expires < today:
        raise ProjectError(f"The date {str(entry.expires)!r} is past. Give a later --expires.")
    before = _text(path)
    _read(before, path)  # what is wrong with it already is told with its own line
    added = yaml.safe_dump(
        [entry.model_dump()], sort_keys=False, allow_unicode=True, default_flow_style=False
    )
    text = f"{before.rstrip()}\n{added}" if before.strip() else _HEAD + added
    found = Quarantine(path, today, _read(text, path))
    _write(text, path)
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path}: cannot be read: {error}. Mend the file.") from None


def _write(text: str, path: Path) -> None:
    """Write the file as a whole: on a full disk what people wrote stays."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise ProjectError(
            f"{str(path)!r} cannot be written: {error.strerror}. Add the case by hand."
        ) from None


def _read(text: str, path: Path) -> tuple[QuarantinedCase, ...]:
    found: dict[tuple[str, str], int] = {}
    entries = []
    for line, fields in _rows(text, path):
        entry = _entry(fields, f"{path}:{line}")
        key = (entry.dataset, entry.case)
        if key in found:
            raise ProjectError(
                f"{path}:{line}: case {entry.case!r} of {entry.dataset!r} stands already in line "
                f"{found[key]}. Change that line instead."
            )
        found[key] = line
        entries.append(entry)
    return tuple(entries)


def _rows(text: str, path: Path) -> Iterator[tuple[int, Any]]:
    """Yield each entry with its line; every scalar is text, so that a case may be called 007."""
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
        values = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  it makes only texts
    except RecursionError:
        raise ProjectError(f"{path}: nested too deep for a list of cases. Mend the file.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        what = getattr(error, "problem", None) or str(error)
        raise ProjectError(f"{where}: not valid YAML: {what}. Mend the line.") from None
    if root is None:
        return
    if not isinstance(root, yaml.SequenceNode):
        raise ProjectError(f"{path}:1: must be a list of cases, each beginning with `- case:`.")
    for node, value in zip(root.value, values, strict=True):
        yield node.start_mark.line + 1, value


def _entry(fields: object, where: str) -> QuarantinedCase:
    try:
        return QuarantinedCase.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "entry"
        raise ProjectError(
            f"{where}: {key}: {first['msg']}. An entry has case, dataset, owner, expires "
            "(YYYY-MM-DD) and reason."
        ) from None
