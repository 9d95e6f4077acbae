"""Random words and sentences in plain English, so that a person can tell texts apart."""

from __future__ import annotations

import re
from random import Random

_ADJECTIVES = (
    "amber bold calm early faint gentle grey hidden iron late lively narrow old pale patient "
    "plain quiet rapid silver small steady tall warm young"
)
_NOUNS = (
    "anchor bridge candle cellar clock compass engine garden harbour island kettle ladder "
    "lantern letter market meadow mirror orchard piano river signal station tower window"
)
_VERBS = (
    "answers carries checks closes counts finds follows guides keeps lights meets moves names "
    "opens passes reaches"
)
_ENDINGS = frozenset(
    {"answer", "complete", "completed", "done", "end", "final", "finish", "finished", "stop"}
)


def word(draw: Random) -> str:
    """Return one noun."""
    return _one(_NOUNS, draw)


def phrase(draw: Random) -> str:
    """Return two words, such as `amber harbour`."""
    return f"{_one(_ADJECTIVES, draw)} {word(draw)}"


def sentence(draw: Random) -> str:
    """Return a sentence, one of some millions."""
    return f"The {phrase(draw)} {_one(_VERBS, draw)} the {phrase(draw)}."


def reads_as_an_end(name: object) -> bool:
    """Return whether a name such as `FINISH` or `ResearchComplete` means that the work is over."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name) if isinstance(name, str) else ()
    return any(word.lower() in _ENDINGS for word in words)


def _one(words: str, draw: Random) -> str:
    return draw.choice(words.split())
