"""The wish to stop, which may come at any moment from a signal's handler."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

_LOOK = 0.1
"""Seconds between two looks at it; a handler cannot wake who waits."""


@dataclass
class Stop:
    """Asks an engine to finish what is in flight and start nothing more."""

    asked: bool = field(default=False)

    async def asked_within(self, seconds: float) -> bool:
        """Wait for so many seconds, and say whether a stop was asked; then return at once."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not self.asked and (left := until - loop.time()) > 0:  # noqa: ASYNC110  as at _LOOK
            await asyncio.sleep(min(_LOOK, left))
        return self.asked
