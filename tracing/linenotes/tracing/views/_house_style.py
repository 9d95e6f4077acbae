"""What all pages share: one look, in light and in dark, and a policy that lets nothing else in."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from importlib import resources


def house_style() -> str:
    """Return the style sheet with the colours, the type and the tables of every page."""
    return page_part("house.css")


def policy_digest(text: str) -> str:
    """Return how a page's Content-Security-Policy names its own style or script: its sha256."""
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def page_part(name: str) -> str:
    """Return a file that lies beside this module."""
    return resources.files("linenotes.tracing.views").joinpath(name).read_text(encoding="utf-8")
