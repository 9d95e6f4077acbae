from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from linenotes.project import Project, ProjectError, Redactor

KEY = "sk-proj-" + "a1B2" * 8
PLACEHOLDER = re.compile(r"\[(secret|personal):[a-z0-9-]+:[0-9a-f]{4}\]")
SECRETS = st.sampled_from(
    [KEY, "ghp_" + "a1" * 18, "password=hunter2", "Bearer " + "a1" * 20, "postgres://u:p4ss@h/d"]
)


@dataclass(frozen=True)
class Letter:
    trace_id: str
    text: str
    fields: dict[str, object]


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("OPENAI_API_KEY", "ACME_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_the_same_secret_is_the_same_placeholder_wherever_it_stands() -> None:
    one, other = Redactor().text(f"use {KEY}!"), Redactor().text(f'{{"key": "{KEY}"}}')
    (first,), (second,) = PLACEHOLDER.finditer(one), PLACEHOLDER.finditer(other)
    assert first[0] == second[0]
    assert first[0].startswith("[secret:openai-key:")
    assert Redactor().text(f"use {KEY[:-1]}x!") != one


@given(st.lists(st.one_of(st.text(max_size=20), SECRETS), max_size=6), st.sampled_from(" \n&\"'"))
@example(["password=", "[secret:key:ab12]", "x1y2z3w4"], "")
def test_redacting_twice_changes_nothing(parts: list[str], between: str) -> None:
    redactor = Redactor(personal=True, patterns={"number": r"\d{3,}"})
    once = redactor.text(between.join(parts))
    assert redactor.text(once) == once


def test_a_value_that_only_its_key_gives_away_is_masked_and_so_is_each_repetition() -> None:
    value = {
        "call": {"user": "ann", "password": "open sesame, please"},
        "text": 'login(user="ann") with open sesame, please',
        "max_tokens": "eleven",
        "cookies": ["crumbs of things", ""],
    }
    redacted = Redactor().value(value)
    masked = redacted["call"]["password"]  # type: ignore[index]  # as above
    assert PLACEHOLDER.fullmatch(masked)
    assert redacted["text"] == f'login(user="ann") with {masked}'
    assert redacted["max_tokens"] == "eleven"
    assert [bool(PLACEHOLDER.fullmatch(one)) for one in redacted["cookies"]] == [True, False]
    assert Redactor().value(redacted) == redacted


@pytest.mark.parametrize(
    "value",
    [
        {"password": 84736251},
        {"token": {"type": "bearer", "value": "plain letters"}},
        {"api_keys": ["plain letters", 123456]},
        {"passwords": {"ann": "plain letters"}},
        {"secret": ["plain letters", {"value": "plain letters"}]},
        {"db_pass": "plain letters"},
    ],
)
def test_under_the_name_of_a_secret_everything_is_one(value: dict[str, object]) -> None:
    redacted = Redactor().value(value)
    assert "[secret:" in str(redacted)
    assert not {"84736251", "123456", "plain letters"} & set(
        re.findall("[0-9a-z ]+", str(redacted))
    )
    assert Redactor().value(redacted) == redacted


@pytest.mark.parametrize(
    "value",
    [
        {"tokens": 12345678, "token_count": 12345678, "token": 128009, "max_tokens": "eleven"},
        {"password": {"type": "string", "description": "What the user types."}, "secret": True},
        {"first_pass": "a draft", "compass": "north", "credentials": {"user": "ann"}},
    ],
)
def test_a_count_a_schema_and_a_pass_are_no_secrets(value: dict[str, object]) -> None:
    assert Redactor().value(value) is value


def test_the_probabilities_of_a_models_tokens_stay() -> None:
    value = [{"token": "Hello", "logprob": -0.1}]
    assert Redactor().value(value) is value


def test_a_value_keeps_its_shape_and_a_key_is_redacted_too() -> None:
    letter = Letter("a" * 32, "no secret", {KEY: (1, None, [True, KEY])})
    redacted = Redactor().value(letter)
    placeholder = Redactor().text(KEY)
    assert redacted == Letter("a" * 32, "no secret", {placeholder: (1, None, [True, placeholder])})


def test_what_needs_no_change_is_the_same_object() -> None:
    value = {"a": ["b", ("c", 1)], "letter": Letter("a" * 32, "d", {})}
    assert Redactor().value(value) is value


def test_an_id_of_a_span_is_no_card_number() -> None:
    letter = Letter("4111111111111111", "4111111111111111", {})
    redacted = Redactor(personal=True).value(letter)
    assert redacted.trace_id == "4111111111111111"
    assert redacted.text.startswith("[personal:card:")


def test_values_of_the_environment_are_found_whatever_they_look_like(
    clean: pytest.MonkeyPatch,
) -> None:
    clean.setenv("ACME_TOKEN", 'corp "7" & more')
    redactor = Redactor.current()
    for text in (
        'it is corp "7" & more',
        r'{"a": "corp \"7\" & more"}',
        "?a=corp%20%227%22%20%26%20more",
    ):
        assert "[secret:acme-token:" in redactor.text(text)
    assert "corp" not in repr(redactor)


@pytest.mark.parametrize("value", ["true", "disabled", "xxxxxxxxxx", "a-key"])
def test_a_common_word_in_the_environment_is_no_secret(
    clean: pytest.MonkeyPatch, value: str
) -> None:
    clean.setenv("ACME_TOKEN", value)
    assert Redactor.current().text(f"It is {value}.") == f"It is {value}."


def test_a_key_has_one_placeholder_whether_or_not_the_environment_holds_it(
    clean: pytest.MonkeyPatch,
) -> None:
    before = Redactor.current().text(KEY)
    clean.setenv("OPENAI_API_KEY", KEY)
    assert Redactor.current().text(KEY) == before


def test_secrets_can_be_left_alone_and_personal_data_is_unless_asked_for() -> None:
    text = f"{KEY} ann@example.org"
    assert Redactor(secrets=False).text(text) == text
    assert Redactor(secrets=False).value({"password": "x"}) == {"password": "x"}
    assert Redactor(secrets=False, personal=True).text(text).startswith(f"{KEY} [personal:email:")


def test_a_text_that_is_too_long_is_cut_with_a_mark() -> None:
    redactor = Redactor(max_characters=1000)
    cut = redactor.text("word " * 1000)
    assert len(cut) <= 1000
    assert cut.endswith("… (cut: 4,040 characters)")
    assert redactor.text(cut) == cut


def test_far_behind_the_cut_nothing_is_looked_at() -> None:
    text = f"{'.' * 950} {KEY} " + "." * 10_000_000
    cut = Redactor(max_characters=1000).text(text)
    assert cut.endswith("… (cut: 10,000,025 characters)")
    assert "sk-" not in cut
    assert len(cut) <= 1000


@pytest.mark.parametrize("before", range(930, 970))
def test_no_half_of_a_placeholder_or_of_a_secret_is_left_at_a_cut(before: int) -> None:
    redactor = Redactor(max_characters=1000)
    cut = redactor.text("." * before + f" {KEY} " + "." * 200)
    assert "sk-" not in cut
    assert re.search(r"\[secret(?!:openai-key:[0-9a-f]{4}\])", cut) is None
    assert redactor.text(cut) == cut


def test_a_pattern_of_the_users_replaces_its_group_or_all_of_it() -> None:
    redactor = Redactor(patterns={"badge": r"badge (?P<secret>\d+)", "case": r"C-\d+"})
    assert re.fullmatch(
        r"badge \[secret:badge:\w{4}\], \[secret:case:\w{4}\]", redactor.text("badge 12, C-3")
    )


def test_a_function_of_the_users_has_the_last_word() -> None:
    redactor = Redactor(function=lambda text: text.replace("Ann", "somebody"))
    assert redactor.value({"a": "Ann"}) == {"a": "somebody"}


@pytest.mark.parametrize(
    ("function", "why"), [(lambda text: 1 / 0, "raised ZeroDivisionError"), (len, "returned int")]
)
def test_of_a_text_that_the_users_function_fails_on_nothing_is_kept(
    function: Callable[[str], str], why: str
) -> None:
    assert Redactor(function=function).text("Ann") == (
        f"(not stored: the redaction function {why})"
    )


def test_a_redactor_is_in_force_inside_its_block_only() -> None:
    with Redactor(personal=True).in_force():
        assert Redactor.current().personal
    assert not Redactor.current().personal


def test_a_project_says_what_is_redacted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "house_rules.py").write_text("def hide(text): return text.replace('Ann', '?')\n")
    (tmp_path / "pyproject.toml").write_text(
        "[tool.linenotes.models.judge]\nmodel = 'big'\napi-key-env = 'JUDGE'\n"
        "[tool.linenotes.redaction]\npersonal = true\nfunction = 'house_rules.py:hide'\n"
        "max-characters = 2000\npatterns.case = 'C-[0-9]+'\n"
    )
    monkeypatch.setenv("JUDGE", "value of judge")
    redactor = Redactor.of(Project.find(tmp_path))
    text = redactor.text("Ann ann@example.org C-12 value of judge")
    assert re.sub(r":\w{4}\]", "]", text) == "? [personal:email] [secret:case] [secret:judge]"
    assert redactor.max_characters == 2000


def test_a_function_in_a_file_is_loaded_once_until_the_file_changes(tmp_path: Path) -> None:
    rules = tmp_path / "only_here.py"
    rules.write_text("hide = ' '.join\n")
    (tmp_path / "pyproject.toml").write_text(
        "[tool.linenotes.redaction]\nfunction = 'only_here.py:hide'\n"
    )
    functions = [Redactor.of(Project.find(tmp_path)).function for _ in range(3)]
    assert functions[0] is functions[1] is functions[2]
    assert len([name for name in sys.modules if name.endswith("_only_here")]) == 1
    rules.write_text("def hide(text): return text.replace('Ann', '?')\n")
    os.utime(rules, (1, 1))
    assert Redactor.of(Project.find(tmp_path)).text("Ann says") == "? says"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("no_such_module:hide", "does not import"),
        ("gone.py:hide", "does not import"),
        ("json:hide", "no function"),
    ],
)
def test_a_function_that_cannot_be_used_is_an_error_that_names_it(
    tmp_path: Path, spec: str, message: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.linenotes.redaction]\nfunction = '{spec}'\n")
    with pytest.raises(ProjectError, match=message) as caught:
        Redactor.of(Project.find(tmp_path))
    assert spec in str(caught.value)


@pytest.mark.parametrize("filler", ["a", "1a", " ", "=", "\\", '"', "@", "4 ", ".a"])
@pytest.mark.parametrize(
    "start", ["password=", "-----BEGIN PRIVATE KEY-----", "://a:", "eyJ", "a@"]
)
def test_the_work_on_a_hostile_text_does_not_explode(start: str, filler: str) -> None:
    redactor = Redactor(personal=True)
    redactor.text((start + filler) * 4_000)
    redactor.text(start + filler * 200_000)


def test_a_secret_that_is_longer_than_all_others_is_masked_to_its_end() -> None:
    assert re.fullmatch(r"token=\[[^]]+\] end", Redactor().text(f"token={'a1' * 5000} end"))
