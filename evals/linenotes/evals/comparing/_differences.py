"""What sets two versions apart, told from the plans of their runs alone."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, cast

from pydantic import JsonValue

from linenotes.evals.journal._plans import RunPlan

_PARTS = (
    ("graph", "graph"),
    ("code", "the agent's code"),
    ("tools", "tools"),
)


CONTEXT = 1
"""Unchanged lines that are shown on either side of a change."""


@dataclass(frozen=True)
class DiffLine:
    """A line of a text diff."""

    kind: Literal["kept", "removed", "added", "skipped"]
    """`skipped` stands for unchanged lines that are not shown, and has no text."""
    text: str = ""


@dataclass(frozen=True)
class PromptChange:
    """A prompt whose text the two versions do not share."""

    name: str
    before: str | None
    """The version of the prompt in the base; None where the base has no such prompt."""
    after: str | None
    lines: tuple[DiffLine, ...]
    """The hunks that changed."""


def differences(base: RunPlan, candidate: RunPlan) -> tuple[str, ...]:
    """Return what sets two runs' versions apart, one line each."""
    if base.agent != candidate.agent:
        return (f"agent: {base.agent} → {candidate.agent}",)
    lines = [*_prompt_lines(base, candidate), *_model_lines(base, candidate)]
    for part, title in _PARTS:
        if base.composition.get(part) != candidate.composition.get(part):
            lines.append(f"{title} changed")
    if base.composition.get("file") != candidate.composition.get("file"):
        lines.append(f"imported file: {_file(base)} → {_file(candidate)}")
    if base.commit != candidate.commit and base.commit and candidate.commit:
        lines.append(f"commit: {_commit(base)} → {_commit(candidate)}")
    if base.dataset.digest != candidate.dataset.digest:
        same = {case.id for case in base.cases} == {case.id for case in candidate.cases}
        lines.append(f"dataset: {'cases have changed' if same else 'other cases were selected'}")
    return (*lines, *_scorer_lines(base, candidate))


def behave_alike(base: RunPlan, candidate: RunPlan) -> bool:
    """Say whether nothing sets two runs' versions, data and scorers apart."""
    return base.fingerprint == candidate.fingerprint and not differences(base, candidate)


def told_differences(base: RunPlan, candidate: RunPlan) -> str:
    """Return what sets two runs' versions apart as one line."""
    if told := differences(base, candidate):
        return "; ".join(told)
    return "nothing: equal fingerprints" if behave_alike(base, candidate) else "fingerprints only"


def _file(plan: RunPlan) -> str:
    return plan.imported.file if plan.imported else "none, executed here"


def _prompt_lines(base: RunPlan, candidate: RunPlan) -> list[str]:
    lines = []
    for name in sorted(base.prompts.keys() | candidate.prompts.keys()):
        before, after = base.prompts.get(name), candidate.prompts.get(name)
        if before is None or after is None:
            lines.append(f"prompt {name}: only in the {'base' if before else 'candidate'}")
        elif before.text != after.text:
            lines.append(f"prompt {name}: {before.version} → {after.version}")
    return lines


def _model_lines(base: RunPlan, candidate: RunPlan) -> list[str]:
    lines = []
    before, after = _models(base), _models(candidate)
    for role in sorted(before.keys() | after.keys()):
        if role not in before or role not in after:
            where = "base" if role in before else "candidate"
            lines.append(f"model of {role}: only in the {where}")
            continue
        for setting, value in before[role].items():
            if value != after[role][setting]:
                lines.append(f"{setting} of {role}: {value} → {after[role][setting]}")
    return lines


def _scorer_lines(base: RunPlan, candidate: RunPlan) -> list[str]:
    before = dict(zip(base.metrics, base.scorers, strict=True))
    after = dict(zip(candidate.metrics, candidate.scorers, strict=True))
    lines = []
    for name in (metric for metric in before if metric in after):
        if before[name] != after[name]:
            lines.append(f"scorer {name}: {before[name]} → {after[name]}")
        elif (was := base.codes.get(name)) != (now := candidate.codes.get(name)):
            known = "" if was and now else f" (not known of the {'candidate' if was else 'base'})"
            lines.append(f"scorer {name}: its code{known}")
    return lines


def _models(plan: RunPlan) -> dict[str, dict[str, JsonValue]]:
    """Return role to the settings that decide how its model behaves."""
    return cast("dict[str, dict[str, JsonValue]]", plan.composition["models"])


def _commit(plan: RunPlan) -> str:
    assert plan.commit is not None
    return plan.commit.sha[:8] + (" with changes" if plan.commit.dirty else "")


def prompt_changes(base: RunPlan, candidate: RunPlan) -> tuple[PromptChange, ...]:
    """Return the prompts whose texts differ, sorted by name, with what differs in them."""
    found = []
    for name in sorted(base.prompts.keys() | candidate.prompts.keys()):
        before, after = base.prompts.get(name), candidate.prompts.get(name)
        old, new = before.text if before else "", after.text if after else ""
        if old != new or not (before and after):
            versions = (before.version if before else None, after.version if after else None)
            found.append(PromptChange(name, *versions, _diff(old, new)))
    return tuple(found)


def _diff(before: str, after: str) -> tuple[DiffLine, ...]:
    """Return the changed hunks of two texts, each with a line around it."""
    old, new = before.splitlines(), after.splitlines()
    lines: list[DiffLine] = []
    shown = 0
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT):
        if group[0][1] > shown:
            lines.append(DiffLine("skipped"))
        for kind, i, j, k, m in group:
            if kind == "equal":
                lines += [DiffLine("kept", text) for text in old[i:j]]
                continue
            lines += [DiffLine("removed", text) for text in old[i:j]]
            lines += [DiffLine("added", text) for text in new[k:m]]
        shown = group[-1][2]
    return (*lines, DiffLine("skipped")) if lines and shown < len(old) else tuple(lines)
