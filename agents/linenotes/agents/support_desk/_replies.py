"""What the desk tells the customer: one written text for each intent, labelled as such."""

from __future__ import annotations

from functools import cache
from importlib import resources

import yaml


def reply(team: str, intent: str) -> str:
    """Return the text for an intent of a team, ending with the label of its template."""
    return f"{_texts()[team][intent]} [template {team}/{intent}]"


@cache
def _texts() -> dict[str, dict[str, str]]:
    text = resources.files(__package__).joinpath("replies.yaml").read_text(encoding="utf-8")
    texts: dict[str, dict[str, str]] = yaml.safe_load(text)
    return texts
