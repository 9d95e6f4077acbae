from __future__ import annotations

import httpx2
import openai
import pytest
from langchain_core.tools import ToolException
from pydantic import JsonValue

from linenotes.tracing.recordings._refusals import (
    ReplayedError,
    keep_error,
    restored_error,
)


class PickyError(Exception):
    """An exception with a text and a memory of its own."""

    def __init__(self, text: str, *, code: int) -> None:
        super().__init__(text)
        self.code = code
        self.thing = object()


@pytest.mark.parametrize("error", [ValueError("no"), KeyError("x"), ToolException("bad")])
def test_an_exception_comes_back_as_it_was(error: Exception) -> None:
    again = restored_error(keep_error(error))
    assert type(again) is type(error)
    assert again.args == error.args
    assert str(again) == str(error)


def test_what_is_plain_of_an_exception_comes_back() -> None:
    again = restored_error(keep_error(PickyError("no", code=7)))
    assert isinstance(again, PickyError)
    assert (str(again), again.code) == ("no", 7)
    assert not hasattr(again, "thing")


def test_a_refusal_of_the_provider_comes_back_with_its_status() -> None:
    response = httpx2.Response(400, request=httpx2.Request("POST", "http://127.0.0.1"))
    error = openai.BadRequestError("too long", response=response, body={"code": "length"})
    again = restored_error(keep_error(error))
    assert isinstance(again, openai.BadRequestError)
    assert (again.status_code, again.body, str(again)) == (400, {"code": "length"}, "too long")


def test_an_exception_of_a_class_that_is_not_at_hand_keeps_name_and_text() -> None:
    kept: JsonValue = {
        "module": "gone",
        "class": "Odd.Error",
        "text": "no",
        "args": ["no"],
        "fields": {},
    }
    again = restored_error(kept)
    assert isinstance(again, ReplayedError)
    assert (type(again).__name__, str(again)) == ("Error", "no")
