"""What a test wants the model to say: replies in order, one for all, or a function of the request.

A script is for all requests, for those to one model, or for those whose prompt contains a text.
The most specific one replies: a text before a model, a model before all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from linenotes.evals.testing._exchange import Reply, Request
from linenotes.project import ModelError

Script = str | Reply | Sequence[Reply | str] | Callable[[Request], Reply | str | None]
"""One reply to everything, replies in order, or a function; where that returns None the server
improvises. A text stands for a reply without tool calls."""


class Scripts:
    """All scripts of a server. Not thread-safe: the server asks for one reply at a time."""

    def __init__(
        self, every: Script | None, models: Mapping[str, Script], texts: Mapping[str, Script]
    ) -> None:
        self._texts = {
            text: _RunningScript(f"the text {text!r}", script) for text, script in texts.items()
        }
        self._models = {
            name: _RunningScript(f"the model {name!r}", script) for name, script in models.items()
        }
        self._every = None if every is None else _RunningScript("all requests", every)

    @property
    def models(self) -> tuple[str, ...]:
        """The models that have a script of their own."""
        return tuple(self._models)

    def reply(self, request: Request) -> Reply | None:
        """Return what the script of `request` says, None where there is none.

        Raises:
            ModelError: a script of replies has no more.
        """
        script = next(self._fitting(request), None)
        return script.reply(request) if script else None

    def _fitting(self, request: Request) -> Iterator[_RunningScript]:
        yield from (script for text, script in self._texts.items() if text in request.prompt)
        yield from filter(None, (self._models.get(request.model), self._every))


class _RunningScript:
    """A script and how many of its replies were used."""

    def __init__(self, scope: str, script: Script) -> None:
        self._scope = scope
        self._script = script
        self._used = 0

    def reply(self, request: Request) -> Reply | None:
        if callable(self._script):
            return self._as_reply(self._script(request))
        if isinstance(self._script, str | Reply):
            return self._as_reply(self._script)
        if self._used == len(self._script):
            raise ModelError(
                f"The script for {self._scope} has {self._used} replies and was asked for another, "
                f"after {request.turns[-1].text if request.turns else ''!r}. "
                "Add a reply, or give a function."
            )
        self._used += 1
        return self._as_reply(self._script[self._used - 1])

    def _as_reply(self, said: object) -> Reply | None:
        if said is None or isinstance(said, Reply):
            return said
        if isinstance(said, str):
            return Reply(said)
        raise TypeError(
            f"The script for {self._scope} gave {said!r:.60}, which is no reply. "
            "Give a Reply, a text, or None to improvise."
        )
