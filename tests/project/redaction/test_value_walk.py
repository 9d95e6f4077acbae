"""What is let through unchanged, and what is looked at more closely."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from linenotes.project import Redactor

KEY = "sk-proj-" + "a1B2" * 8
AN_ID = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


@dataclass(frozen=True, slots=True)
class Note:
    text: str


@dataclass(frozen=True, slots=True)
class Login:
    user: str
    password: str


@pytest.mark.parametrize(
    "value",
    [
        "half an emoji: \ud83d",
        {"deep": [{"text": "half an emoji: \ud83d"}]},
        {"large": 2**64},
        {1: "a key that is no text"},
        {"a", "set"},
        [object()],
        Login("ann", "hunter2!"),
    ],
    ids=["half emoji", "deep half emoji", "large number", "key", "set", "object", "secret field"],
)
def test_only_plain_json_without_secrets_is_let_through(value: object) -> None:
    redactor = Redactor()
    assert not redactor.lets_through(value)
    assert not redactor.lets_through(value)  # nor when its texts are known


@pytest.mark.parametrize(
    "value",
    [
        "a word",
        {"list": ["a", 1, 1.5, None, True, -(2**63)], "tuple": ("b", {})},
        Note("a word, and é"),
        [Note(AN_ID)],
        [],
    ],
    ids=["text", "nested", "dataclass", "id", "empty"],
)
def test_plain_json_is_let_through_as_it_is(value: object) -> None:
    redactor = Redactor()
    assert redactor.lets_through(value)
    assert redactor.value(value) is value


def test_a_key_that_is_no_text_keeps_no_secret_from_being_masked() -> None:
    assert KEY not in str(Redactor().value({1: KEY, (2, 3): [KEY]}))


def test_a_value_that_contains_itself_is_looked_at_once() -> None:
    value: list[object] = ["a word"]
    value.append({"inner": value})
    assert Redactor().lets_through(value)


def test_one_secret_among_many_shared_parts_is_found() -> None:
    said = [{"content": f"word {number}"} for number in range(20)]
    prompts = [said[:number] for number in range(20)]
    assert Redactor().lets_through(prompts)
    said[7]["content"] = KEY
    assert KEY not in str(Redactor().value([said[:number] for number in range(20)]))


def test_an_id_that_the_user_or_the_environment_calls_a_secret_is_masked() -> None:
    known = Redactor().knowing({AN_ID: "azure-key"})
    assert AN_ID not in str(known.value({"text": AN_ID}))
    asked = Redactor(patterns={"own": "[0-9a-f]{32}"})
    assert AN_ID not in str(asked.value({"text": AN_ID}))
    short = Redactor(max_characters=20)
    assert AN_ID not in str(short.value({"text": AN_ID}))
