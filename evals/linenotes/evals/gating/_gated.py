"""What a gate is about, whether it is executed for the gate or was there before."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gated:
    """A version, and the cases that it is judged by."""

    agent: str
    version: str
    """Its label."""
    fingerprint: str
    dataset: str
    digest: str
    """Of the cases that were selected."""
    cases: tuple[str, ...]
    """Their ids."""
