"""Errors of the MLflow store as errors of ours, at the one place where they are told apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from linenotes.project._errors import LinenotesError, StoreError, StoreOutageError

_CREDENTIALS = re.compile(r"//[^/\s]*@")
_CLASS = re.compile(r"^\(\S+Error\) ")
"""SQLAlchemy begins with the class of the driver's error."""
_LONGEST = 300
_SERVER_ERROR = 500


@contextmanager
def store_errors(doing: str, tracking_uri: str) -> Iterator[None]:
    """Raise what MLflow, its database or its files raise inside the block as a StoreError.

    It is a StoreOutageError unless the store answered that it was asked for something wrong.

    Args:
        doing: what the block does, as in "Could not {doing} the MLflow store …".
        tracking_uri: the store; a password in it is not shown.
    """
    try:
        yield
    except LinenotesError:
        raise
    except Exception as error:
        if not _is_of_the_store(error):
            raise
        raise _class(error)(
            f"Could not {doing} the MLflow store {without_credentials(tracking_uri)!r}: "
            f"{_reason(error)} Mend that, or name another store in MLFLOW_TRACKING_URI."
        ) from error


def without_credentials(address: str) -> str:
    """Return an address, or a text with some, without the user and password that they hold."""
    return _CREDENTIALS.sub("//", address)


def _is_of_the_store(error: Exception) -> bool:
    """MLflow's and SQLAlchemy's own errors; connections and files that fail are OSErrors."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    # MLflow raises NotImplementedError for what a server of an older version lacks.
    return isinstance(error, MlflowException | SQLAlchemyError | OSError | NotImplementedError)


def _class(error: Exception) -> type[StoreError]:
    from mlflow.exceptions import MlflowException

    if not isinstance(error, MlflowException):
        return StoreOutageError
    status: int = error.get_http_status_code()  # type: ignore[no-untyped-call]
    return StoreError if status < _SERVER_ERROR else StoreOutageError


def _reason(error: Exception) -> str:
    lines = without_credentials(str(error)).strip().splitlines() or [type(error).__name__]
    return _CLASS.sub("", lines[0])[:_LONGEST].rstrip(". ") + "."
