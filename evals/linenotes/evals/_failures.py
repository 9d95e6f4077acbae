"""Whose failure an exception is.

The system under test fails as data: its exception becomes part of the sample and the run goes
on. Two things are not the agent's: the infrastructure between it and its model, and a mistake of
the user's that would fail every sample alike, which ends the run with its own message.
"""

from __future__ import annotations

from collections.abc import Iterator

from linenotes.evals._samples import ErrorKind, Failure
from linenotes.project import LinenotesError, ModelError

_RETRYABLE_STATUS = {408, 409, 429}
_MISTAKEN_STATUS = {401, 403, 404}
_SERVER_ERROR = 500
_LONGEST = 2000


def attribute(error: BaseException) -> Failure:
    """Return whose failure `error` is.

    Raises:
        LinenotesError: the user's own mistake, which every sample would meet.
    """
    for cause in _chain(error):
        if isinstance(cause, LinenotesError):
            raise cause
        _refuse_misconfigured_endpoint(cause)
        if _is_infrastructure(cause):
            return _failure("infrastructure", cause)
    return _failure("agent", error)


def describe(error: BaseException) -> str:
    """Return the message of `error` on one line, cut where it gets long."""
    text = " ".join(str(error).split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " … (cut)"


def _failure(kind: ErrorKind, error: BaseException) -> Failure:
    return Failure(kind=kind, type=type(error).__name__, message=describe(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it was raised from; an agent may wrap its model's."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            for inner in current.exceptions:
                yield from _chain(inner)
        current = current.__cause__ or current.__context__


def _is_infrastructure(error: BaseException) -> bool:
    import httpx
    import openai

    if isinstance(error, openai.APIStatusError):
        return error.status_code in _RETRYABLE_STATUS or error.status_code >= _SERVER_ERROR
    return isinstance(error, openai.APIConnectionError | httpx.TransportError)


def _refuse_misconfigured_endpoint(error: BaseException) -> None:
    import openai

    if isinstance(error, openai.APIStatusError) and error.status_code in _MISTAKEN_STATUS:
        raise ModelError(
            f"{error.request.url} answered {error.status_code}: {describe(error)} "
            "Check the key, the base URL and the model's name."
        ) from None
