from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.evals import RunPlan
from linenotes.evals.comparing._differences import differences, prompt_changes

MakePlan = Callable[..., RunPlan]


def prompt(version: str, text: str) -> dict[str, object]:
    return {"version": version, "text": text, "registry_version": 1}


def diff(make_plan: MakePlan, before: str, after: str) -> list[tuple[str, str]]:
    plans = (
        make_plan(prompts={"triage": prompt(version, text)})
        for version, text in (("v1", before), ("v2", after))
    )
    (change,) = prompt_changes(*plans)
    assert (change.name, change.before, change.after) == ("triage", "v1", "v2")
    return [(line.kind, line.text) for line in change.lines]


def test_only_changed_hunks_are_shown_with_a_line_around_them(make_plan: MakePlan) -> None:
    before = "\n".join("abcdefghij")
    after = before.replace("c", "C") + "\nk"
    assert diff(make_plan, before, after) == [
        ("skipped", ""),
        ("kept", "b"),
        ("removed", "c"),
        ("added", "C"),
        ("kept", "d"),
        ("skipped", ""),
        ("kept", "j"),
        ("added", "k"),
    ]


def test_lines_after_the_last_change_are_skipped(make_plan: MakePlan) -> None:
    assert diff(make_plan, "a\nb\nc\nd", "A\nb\nc\nd")[-2:] == [("kept", "b"), ("skipped", "")]


def test_a_prompt_of_one_version_only_is_shown_whole(make_plan: MakePlan) -> None:
    base, candidate = make_plan(prompts={"old": prompt("v1", "a\nb")}), make_plan()
    (gone,) = prompt_changes(base, candidate)
    assert (gone.before, gone.after) == ("v1", None)
    assert [line.kind for line in gone.lines] == ["removed", "removed"]
    (new,) = prompt_changes(candidate, base)
    assert (new.before, new.after) == (None, "v1")


def test_prompts_with_one_text_do_not_differ(make_plan: MakePlan) -> None:
    base = make_plan(prompts={"triage": prompt("v1", "a")})
    candidate = make_plan(prompts={"triage": prompt("@best", "a")})
    assert prompt_changes(base, candidate) == ()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("a1", "b2", ("scorer correct: its code",)),
        ("a1", "a1", ()),
        (None, None, ()),
        (None, "b2", ("scorer correct: its code (not known of the base)",)),
        ("a1", None, ("scorer correct: its code (not known of the candidate)",)),
    ],
)
def test_an_edited_scorer_is_named(
    make_plan: MakePlan, before: str | None, after: str | None, told: tuple[str, ...]
) -> None:
    plans = [make_plan(codes={"correct": code} if code else {}) for code in (before, after)]
    assert differences(*plans) == told
