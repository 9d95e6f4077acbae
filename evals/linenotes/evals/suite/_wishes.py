"""What a pytest session asks of its golden tests: options, the environment, and settings.

An option goes before its environment variable, that before `[tool.linenotes.pytest]`. What a test
declares itself goes before the settings only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from linenotes.evals._arms import EVERY, Choice
from linenotes.evals._evaluate import DEFAULT_SAMPLES, asked_of_recordings
from linenotes.evals.engine._budget import Budget
from linenotes.evals.engine._conduct import Conduct
from linenotes.evals.history._quarantine import Quarantine, quarantined
from linenotes.evals.suite._golden import Golden
from linenotes.project import Project, RunError

if TYPE_CHECKING:
    from linenotes.evals.gating._gate import Gate
    from linenotes.evals.statistics import Target
    from linenotes.tracing import RecordMode


class Asked(TypedDict):
    """What options and environment variables say; None where neither does."""

    samples: int | None
    concurrency: int | None
    record: RecordMode | None
    replay: bool | None
    live: str | None
    baseline: str | None
    update_baseline: bool | None
    budget_usd: float | None
    budget_tokens: int | None
    budget_calls: int | None
    budget_seconds: float | None
    target: Target | None
    prompt: Sequence[str] | None
    model: Sequence[str] | None
    html: str | None


@dataclass(frozen=True)
class Wishes:
    """How the golden tests of a session are carried out."""

    project: Project
    asked: Asked
    today: date

    @property
    def conduct(self) -> Conduct:
        """How samples are executed.

        Raises:
            LinenotesError: wishes that contradict one another.
        """
        asked, settings = self.asked, self.project.settings.pytest
        limits = Budget(
            usd=asked["budget_usd"],
            tokens=asked["budget_tokens"],
            calls=asked["budget_calls"],
            seconds=asked["budget_seconds"],
        )
        says = any(asked[name] is not None for name in ("record", "replay", "live"))
        live = _names(asked["live"]) if says else settings.live
        policy = asked_of_recordings(
            record=asked["record"] if says else settings.record,
            replay=bool(asked["replay"]) if says else settings.replay,
            live=live,
        )
        conduct = Conduct(recordings=policy, budget=Budget.of(self.project, limits))
        wanted = asked["concurrency"] or settings.concurrency
        return replace(conduct, concurrency=wanted) if wanted else conduct

    @property
    def choice(self) -> Choice:
        """The prompts and models of the candidate.

        Raises:
            RunError: one that cannot be read.
        """
        return Choice(prompts=_chosen(self.asked["prompt"]), models=_chosen(self.asked["model"]))

    @property
    def updates_baseline(self) -> bool:
        """Whether runs are saved as baselines instead of being compared with them."""
        return bool(self.asked["update_baseline"])

    @property
    def pages(self) -> Path | None:
        """The folder of pages with comparisons; None where none are asked for."""
        return Path(self.asked["html"]) if self.asked["html"] else None

    def samples(self, declared: Golden) -> int:
        """Return how many samples of each case a test gets."""
        settings = self.project.settings.pytest
        return self.asked["samples"] or declared.samples or settings.samples or DEFAULT_SAMPLES

    def gate(self, declared: Golden) -> Gate | None:
        """Return the gate of a test, with the baseline and the target that are asked for."""
        if declared.gate is None:
            return None
        gate = replace(declared.gate, target=self.asked["target"] or declared.gate.target)
        baseline = self.asked["baseline"]
        return replace(gate, baseline=baseline) if baseline else gate

    def quarantine(self, dataset: str) -> Quarantine:
        """Return which cases of a dataset are run and do not decide.

        Raises:
            ProjectError: the file that names them is not valid.
        """
        entries = (one for one in self._quarantine.entries if one.dataset == dataset)
        return replace(self._quarantine, entries=tuple(entries))

    @cached_property
    def _quarantine(self) -> Quarantine:
        return quarantined(self.project, None, self.today)

    def target(self, declared: Golden) -> Target:
        """Return what the intervals of a test speak of."""
        own = declared.gate.target if declared.gate else None
        settings = self.project.settings.pytest
        return self.asked["target"] or own or settings.target


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",")) if text else ()


def _chosen(given: Sequence[str] | None) -> dict[str, list[str]]:
    """Read `NAME=VALUE` into {NAME: [VALUE]}; without a name it is for all."""
    found: dict[str, list[str]] = {}
    for text in given or ():
        name, _, value = text.partition("=") if "=" in text else (EVERY, "", text)
        if not value or "," in value or name in found:
            raise RunError(
                f"{text!r} is not NAME=VERSION, or repeats a name. A session tries one version."
            )
        found[name] = [value]
    return found
