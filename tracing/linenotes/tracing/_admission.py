"""Calls that recordings may stand in for are metered only when they are really made.

LangChain tells of a call before anybody has looked for its recording. So whoever meters calls keeps
such a call aside, and recordings ask for its admission when there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from uuid import UUID

recordings_decide: ContextVar[bool] = ContextVar("linenotes_recordings_decide", default=False)
"""Whether the calls of this context are admitted by recordings, which may stand in for them."""

admission: ContextVar[Callable[[UUID | None], None] | None] = ContextVar(
    "linenotes_admission", default=None
)
"""Asked before a call is made after all, by its run id, or None where nobody knows that; what it
raises stops the call."""


def admit(run_id: UUID | None) -> None:
    """Ask whoever meters this context to let a call be made."""
    asked = admission.get()
    if asked is not None:
        asked(run_id)
