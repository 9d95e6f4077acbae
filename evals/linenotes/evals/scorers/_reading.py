"""Scorers that read what others say: whom they need, and that they can have it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from linenotes.evals.scorers._scorers import Scorer
from linenotes.project import ScorerError


def with_what_they_read(
    scorers: Sequence[Scorer],
    beside: Collection[str],
    find: Callable[[str], Scorer | None],
) -> list[Scorer]:
    """Return the scorers, and behind them those that they read and nobody has named.

    Args:
        scorers: whom the user has named.
        beside: metrics that are there already.
        find: returns the scorer of a name, or None.

    Raises:
        ScorerError: what one of them reads is not there, or reads others itself.
    """
    found = list(scorers)
    for reader in scorers:
        for metric in reader.reads:
            given = _giver(metric, found)
            if given is None and metric not in beside:
                given = _added(reader, metric, find)
                found.append(given)
            if given is not None and given.reads:
                raise ScorerError(
                    f"Scorer {reader.name!r} reads {metric!r}, which itself reads others. "
                    "Let it read those."
                )
    return found


def _giver(metric: str, scorers: Sequence[Scorer]) -> Scorer | None:
    return next((scorer for scorer in scorers if metric in scorer.metrics), None)


def _added(reader: Scorer, metric: str, find: Callable[[str], Scorer | None]) -> Scorer:
    for name in (metric, metric.rpartition(".")[0]):
        added = find(name)
        if added is not None and metric in added.metrics:
            return added
    raise ScorerError(
        f"Scorer {reader.name!r} reads the metric {metric!r}, and no scorer gives it. "
        f"Name its scorer too, as in `--scorer scorers.py:{metric.partition('.')[0]}`."
    )
