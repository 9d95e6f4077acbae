"""The teams of the desk, and the intents among which each one's specialist decides."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

OUT_OF_SCOPE = "out_of_scope"
"""The team, and the intent, of a message that no team can help with."""


@cache
def intents() -> dict[str, tuple[str, ...]]:
    """Return team to its intents, for the ten teams."""
    text = resources.files(__package__).joinpath("domains.json").read_text(encoding="utf-8")
    return {team: tuple(of_team) for team, of_team in json.loads(text).items()}


@cache
def teams() -> tuple[str, ...]:
    """Return what triage may decide: the ten teams and `out_of_scope`."""
    return (*intents(), OUT_OF_SCOPE)
