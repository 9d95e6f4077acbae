from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from linenotes.evals import Sample, find_scorers
from linenotes.project import Project, ScorerError

OWN = """
import helper

def polite(sample) -> bool:
    return helper.ANSWER

class Strict:
    def __call__(self, sample):
        return False

strict = Strict()
number = 3
"""
FILES = {"checks/own.py": OWN, "checks/helper.py": "ANSWER = True\n"}


def test_a_function_in_a_file_is_found_with_what_lies_beside_it(
    make_project: Callable[..., Project], make_sample: Callable[..., Sample]
) -> None:
    (scorer,) = find_scorers(["checks/own.py:polite"], make_project(FILES))
    assert (scorer.name, scorer.spec) == ("polite", "checks/own.py:polite")
    assert scorer.function(make_sample()) is True


def test_an_object_is_called_what_it_is_called_in_its_file(
    make_project: Callable[..., Project],
) -> None:
    (scorer,) = find_scorers(["checks/own.py:strict"], make_project(FILES))
    assert scorer.name == "strict"


def test_a_module_of_the_project_is_found(make_project: Callable[..., Project]) -> None:
    project = make_project({"house_checks.py": "def tidy(sample):\n    return True\n"})
    (scorer,) = find_scorers(["house_checks:tidy"], project)
    assert scorer.name == "tidy"


def test_a_path_is_also_looked_for_from_the_projects_root(
    make_project: Callable[..., Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(FILES)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert find_scorers(["checks/own.py:polite"], project)


def test_settings_name_scorers(make_project: Callable[..., Project]) -> None:
    project = make_project(
        {**FILES, "pyproject.toml": "[tool.linenotes.scorers]\nkind = 'checks/own.py:polite'\n"}
    )
    (scorer,) = find_scorers(["kind"], project)
    assert (scorer.name, scorer.spec) == ("kind", "kind")


def test_names_functions_and_nothing_can_be_given(make_project: Callable[..., Project]) -> None:
    def own(sample: Sample) -> bool:
        return True

    project = make_project()
    assert [s.name for s in find_scorers(["matches_expectations", own], project)] == [
        "matches_expectations",
        "own",
    ]
    assert [s.name for s in find_scorers([], project)] == ["matches_expectations"]


PARAMETERS = """
class Longer:
    def __init__(self, than, unit="letters"):
        if unit != "letters":
            raise ValueError(f"cannot count {unit}")
        self.than = than

    def score(self, sample):
        return len(str(sample.output)) > self.than

def longer(than):
    def judge(sample):
        return len(str(sample.output)) > than
    return judge
"""


@pytest.mark.parametrize("attribute", ["Longer", "longer"])
def test_a_class_or_a_function_makes_a_scorer_of_parameters(
    make_project: Callable[..., Project], make_sample: Callable[..., Sample], attribute: str
) -> None:
    project = make_project({"own.py": PARAMETERS})
    specs = [f"own.py:{attribute}(3)", f"long=own.py:{attribute}(than=300)"]
    short, long = find_scorers(specs, project)
    assert [(one.name, one.spec) for one in (short, long)] == [
        (attribute, specs[0]),
        ("long", specs[1]),
    ]
    assert (short(make_sample()), long(make_sample())) == (True, False)


def test_built_in_scorers_keep_a_spec_that_makes_them_again(
    make_project: Callable[..., Project],
) -> None:
    settings = """
    [tool.linenotes.scorers]
    route = 'handoffs("triage", "reviewer")'
    no_loop = "no_loop(4)"
    """
    project = make_project({"pyproject.toml": settings})
    wanted = ["route", "no_loop", "no_unread", "brief=at_most_handoffs(2)"]
    found = {one.name: one.spec for one in find_scorers(wanted, project)}
    assert found == {
        "route": 'route=handoffs("triage", "reviewer")',
        "no_loop": "no_loop(4)",
        "no_unread": "no_unread",
        "brief": "brief=at_most_handoffs(2)",
    }
    again = find_scorers(list(found.values()), make_project())
    assert {one.name: one.spec for one in again} == found


def test_what_is_read_is_added_of_what_is_at_hand(make_project: Callable[..., Project]) -> None:
    wanted, at_hand = ['value("polite", failed=0)'], ["checks/own.py:polite", "nowhere.py:other"]
    found = find_scorers(wanted, make_project(FILES), at_hand=at_hand)
    assert [(one.name, one.spec) for one in found] == [
        ("value", 'value("polite", failed=0, currency="USD")'),
        ("polite", "checks/own.py:polite"),
    ]


def test_a_setting_can_be_given_another_name(make_project: Callable[..., Project]) -> None:
    settings = "[tool.linenotes.scorers]\nkind = 'checks/own.py:polite'\n"
    project = make_project({**FILES, "pyproject.toml": settings})
    (scorer,) = find_scorers(["nice=kind"], project)
    assert (scorer.name, scorer.spec) == ("nice", "nice=kind")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("handoffs(1, wrong=2)", "do not fit: .*'wrong'.* An example is handoffs"),
        ("talked_to", "do not fit: missing 2 required .* An example is talked_to"),
        ("own.py:Longer()", "cannot be made: TypeError: .*'than'. Mend its parameters"),
        ("own.py:Longer(3, 'words')", "cannot be made: ValueError: cannot count words"),
        ("own.py:PLACE(3)", "'here' takes no parameters"),
        ("own.py:Longer", "is type. .* Make an object of the class: own.py:Longer()"),
        ("own.py:longer(", "has no 'longer\\('"),
    ],
)
def test_parameters_that_do_not_fit_are_told(
    make_project: Callable[..., Project], spec: str, told: str
) -> None:
    project = make_project({"own.py": PARAMETERS + "PLACE = 'here'\n"})
    with pytest.raises(ScorerError, match=told):
        find_scorers([spec], project)


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("matches_expectation", "There is no scorer .* Did you mean 'matches_expectations'"),
        ("zzz", "There is no scorer 'zzz'. The scorers are at_most_handoffs, called_tool"),
        ("checks/own.py:polit", "has no 'polit'. Did you mean 'polite'"),
        ("checks/own.py:number", "'checks/own.py:number' is int. Name a function of one sample"),
        ("checks/own.py:Strict", "is type. Name a function of one sample"),
        ("nowhere.py:f", "There is no file 'nowhere.py'"),
        ("no_such_module_here:f", "does not import: ModuleNotFoundError"),
    ],
)
def test_a_scorer_that_cannot_be_used_is_told_with_the_cure(
    make_project: Callable[..., Project], spec: str, told: str
) -> None:
    with pytest.raises(ScorerError, match=told):
        find_scorers([spec], make_project(FILES))


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import no_such_package_at_all", "ModuleNotFoundError: No module named"),
        ("def f(:", "SyntaxError"),
        ("undefined", "NameError: name 'undefined' is not defined"),
        ("import os\nos.nothing", "AttributeError: module 'os' has no attribute 'nothing'"),
    ],
)
def test_a_file_that_does_not_import_says_why(
    make_project: Callable[..., Project], source: str, told: str
) -> None:
    with pytest.raises(ScorerError, match=rf"'bad\.py:f' does not import: {told}.*Mend"):
        find_scorers(["bad.py:f"], make_project({"bad.py": source + "\n"}))


def test_two_metrics_of_one_name_are_refused(make_project: Callable[..., Project]) -> None:
    def polite(sample: Sample) -> bool:
        return True

    with pytest.raises(ScorerError, match=r"Two scorers are called 'polite'"):
        find_scorers([polite, "checks/own.py:polite"], make_project(FILES))


def test_a_name_that_mlflow_refuses_is_told_before_anything_is_paid(
    make_project: Callable[..., Project],
) -> None:
    with pytest.raises(ScorerError, match=r"cannot be called '<lambda>'.*with `def`"):
        find_scorers([lambda sample: True], make_project())


@pytest.mark.parametrize("takes", [lambda: True, lambda a, b: True, 3, None])
def test_what_is_no_function_of_one_sample_is_refused(
    make_project: Callable[..., Project], takes: object
) -> None:
    with pytest.raises(ScorerError, match=r"Name a function of one sample"):
        find_scorers([takes], make_project())
