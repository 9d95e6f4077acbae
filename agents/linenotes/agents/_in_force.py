"""What is in force: the prompts and models that `prompt()` and `chat_model()` answer with.

An `AgentVersion` puts its own in force for a block. Outside any version, as in a user's own
script, the project's settings are in force.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.project import ModelSettings, Project

if TYPE_CHECKING:
    from linenotes.agents._prompts import Prompt

DEFAULT_ROLE = "default"
"""The role whose model serves every role that has none of its own."""


@dataclass(frozen=True)
class InForce:
    """The prompts and models of one version."""

    prompts: Mapping[str, Prompt]
    models: Mapping[str, ModelSettings]

    def model(self, role: str) -> ModelSettings:
        """Return the settings of the model that plays `role`."""
        return self.models.get(role) or self.models.get(DEFAULT_ROLE) or ModelSettings()


_current: ContextVar[InForce | None] = ContextVar("linenotes_in_force", default=None)
_reads: ContextVar[list[str] | None] = ContextVar("linenotes_reads", default=None)


def read(what: str) -> InForce | None:
    """Return what a version has put in force, None outside any version, and note the reading."""
    reads = _reads.get()
    if reads is not None:
        reads.append(what)
    return _current.get()


@contextmanager
def in_force(what: InForce) -> Iterator[None]:
    """Put `what` in force for the code inside the block and all that it starts."""
    token = _current.set(what)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def watch_reads() -> Iterator[list[str]]:
    """Collect what is read inside the block, such as `prompt('triage')`.

    What a module reads while it is imported is read once for all versions; the loader must know.
    """
    reads: list[str] = []
    token = _reads.set(reads)
    try:
        yield reads
    finally:
        _reads.reset(token)


def model_settings(role: str) -> ModelSettings:
    """Return the model settings of `role` in force, else those of the project."""
    found = read(f"chat_model({role!r})")
    return (found or InForce(prompts={}, models=Project.find().settings.models)).model(role)
