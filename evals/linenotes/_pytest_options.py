# ruff: noqa: INP001  the namespace has no __init__
"""What a pytest session can be asked for: options, each with an environment variable.

The plugin reads this in every session, so it imports nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import cast

import pytest

_OPTIONS: dict[str, tuple[str, Callable[[str], object], dict[str, object]]] = {
    "samples": ("--samples", int, {"metavar": "N", "help": "Of each case of a golden test."}),
    "concurrency": (
        "--linenotes-concurrency",
        int,
        {"metavar": "N", "help": "Samples in flight; 8 by default."},
    ),
    "record": (
        "--linenotes-record",
        str,
        {
            "choices": ("none", "auto", "all"),
            "help": "auto: replay what is recorded, record the rest. all: record everything anew.",
        },
    ),
    "replay": (
        "--linenotes-replay",
        bool,
        {"help": "Call nothing: what is not recorded is an error."},
    ),
    "live": (
        "--linenotes-live",
        str,
        {"metavar": "AGENT[,AGENT]", "help": "Call these agents for real, replay the others."},
    ),
    "baseline": (
        "--baseline",
        str,
        {"metavar": "NAME|RUN", "help": "What gates compare with, in place of their own."},
    ),
    "update_baseline": (
        "--update-baseline",
        bool,
        {"help": "Save what runs as the baseline of its gates, and compare with nothing."},
    ),
    "budget_usd": (
        "--budget-usd",
        float,
        {"metavar": "USD", "help": "Stop before calls cost more than that, all tests together."},
    ),
    "budget_tokens": (
        "--budget-tokens",
        int,
        {"metavar": "N", "help": "As --budget-usd, in tokens in and out."},
    ),
    "budget_calls": ("--budget-calls", int, {"metavar": "N", "help": "As that, in model calls."}),
    "budget_seconds": (
        "--budget-seconds",
        float,
        {"metavar": "S", "help": "As that, in seconds that agents run."},
    ),
    "target": (
        "--target",
        str,
        {
            "choices": ("population", "dataset"),
            "help": "What intervals speak of: cases like these, or exactly these cases.",
        },
    ),
    "prompt": (
        "--linenotes-prompt",
        str.split,
        {"metavar": "NAME=VERSION", "help": "A prompt's version to try; without NAME=, of all."},
    ),
    "model": (
        "--linenotes-model",
        str.split,
        {"metavar": "ROLE=MODEL", "help": "A role's model to try; without ROLE=, of all."},
    ),
    "summary": (
        "--linenotes-summary",
        str,
        {"metavar": "FILE", "help": "Write Markdown; GitHub's own summary is written anyway."},
    ),
    "json": ("--linenotes-json", str, {"metavar": "FILE", "help": "Write one JSON document."}),
    "html": (
        "--linenotes-html",
        str,
        {"metavar": "FOLDER", "help": "Write a page for each comparison with a baseline."},
    ),
}
"""What can be asked for: option, what reads its text, and how argparse takes it.

Each also has an environment variable, such as LINENOTES_BUDGET_USD.
"""


def arguments() -> Iterator[tuple[str, dict[str, object]]]:
    """Yield each option with what pytest's parser takes for it."""
    for name, (option, kind, how) in _OPTIONS.items():
        told: dict[str, object] = {"dest": _stored(name), **how}
        told["help"] = f"{how['help']} Environment: {_variable(name)}."
        if kind is bool:
            told |= {"action": "store_true", "default": None}
        elif kind is str.split:
            told |= {"action": "append"}
        else:
            told |= {"type": kind}
        yield option, told


def asked(getoption: Callable[[str], object]) -> dict[str, object]:
    """Return what the options say, else the environment; None where neither does.

    Raises:
        UsageError: a variable holds what its option would not take.
    """
    found = {name: getoption(_stored(name)) for name in _OPTIONS}
    return {
        name: _from_environment(name) if value is None else value for name, value in found.items()
    }


def _from_environment(name: str) -> object:
    text = os.environ.get(_variable(name))
    if not text:
        return None
    _, kind, how = _OPTIONS[name]
    if kind is bool:
        return text.lower() not in ("0", "false", "no", "off")
    known = cast("tuple[str, ...]", how.get("choices", (text,)))
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or text not in known:
        raise pytest.UsageError(f"{_variable(name)}={text!r} is not what it takes: {how['help']}")
    return value


def _stored(name: str) -> str:
    return f"linenotes_{name}"


def _variable(name: str) -> str:
    return f"LINENOTES_{name.upper()}"
