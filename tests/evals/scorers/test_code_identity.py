from __future__ import annotations

import sys
from collections.abc import Callable
from functools import singledispatch
from operator import itemgetter
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import pytest

from linenotes.evals import find_scorers
from linenotes.evals.scorers import value
from linenotes.evals.scorers._code_identity import code_identity
from linenotes.evals.scorers._scorer_loading import as_scorer
from linenotes.project import Project, import_code

Identity = Callable[..., "str | None"]

OWN = """
import re
from functools import partial, wraps

import rules
from rules import limits as bounds
from rules.teams import TEAMS, known

LIMIT = 3
NAMES = ["ann"]
NAMES.append("bob")


def kept(function):
    @wraps(function)
    def wrapped(sample):
        return function(sample)
    return wrapped


def hidden(factor):
    def wrap(function):
        return lambda sample: factor * function(sample)
    return wrap


def short(text):
    return len(text) < LIMIT


def plain(sample):
    # the answer must be short
    return short(sample.output) and sample.output in NAMES


@kept
def wrapped(sample):
    return sample.output == 1


@hidden(2)
def doubled(sample):
    return short(sample.output)


def imported(sample):
    return known(sample.output) and rules.limits.most(3) and bounds.LEAST > 0


def lazy(sample):
    from rules.lazy import answer
    return answer()


def made(threshold, allowed=frozenset()):
    unused = re.compile("a")
    def score(sample):
        return sample.output > threshold or sample.output in allowed
    return score


loose = made(1)
strict = made(2)
tight = partial(made(1), allowed=True)
arrow = lambda sample: short(sample.output)


class Base:
    def limit(self):
        return LIMIT


class Judge(Base):
    def __init__(self, most):
        self.most = most

    def __call__(self, sample):
        return self.limit() < self.most


judge = Judge(3)


class TestAll:
    least = 1

    def test_one(self, sample, threshold):
        assert self.helped(sample) and threshold

    def test_other(self, sample):
        assert sample

    def helped(self, sample):
        return sample.output > self.least


def alone(sample):
    return True


def after(sample, count=2):
    return after(sample, count - 1) if count else True
"""
FILES = {
    "pyproject.toml": "",
    "own.py": OWN,
    "rules/__init__.py": "from . import limits\n",
    "rules/limits.py": "LEAST = 1\ndef most(n): return n\ndef unused(): return 0\n",
    "rules/teams.py": "from .words import known\nTEAMS = ['cards']\n",
    "rules/words.py": "WORDS = 'a'\ndef known(text): return text in WORDS\n",
    "rules/lazy.py": "def answer(): return True\n",
    "conftest.py": "import pytest\n@pytest.fixture\ndef threshold(): return 3\n",
}


@pytest.fixture
def identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Identity:
    """Return the identity of something in `own.py`, after edits of the files."""

    def identify(name: str, *edits: tuple[str, str], file: str = "own.py") -> str | None:
        texts = dict(FILES)
        for old, new in edits:
            assert old in texts[file], old
            texts[file] = texts[file].replace(old, new)
        for path, text in texts.items():
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
        for known in [one for one in sys.modules if one.split(".")[0] == "rules"]:
            monkeypatch.delitem(sys.modules, known)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        found: object = import_code(str(tmp_path / "own.py"), Project.find(tmp_path))
        for part in name.split("."):
            found = getattr(found, part)
        return code_identity(found)

    return identify


EVERY = ("plain", "wrapped", "doubled", "imported", "lazy", "loose", "tight", "arrow", "judge")


@pytest.mark.parametrize("name", [*EVERY, "alone", "after", "TestAll.test_one", "Judge"])
@pytest.mark.parametrize(
    "edit",
    [
        ("\nLIMIT = 3", "\n\n\n# how long\nLIMIT = (\n    3\n)"),
        ("def short(text):\n", 'def short(text):\n    """Tell whether it is short."""\n'),
        ("    # the answer must be short\n", ""),
        ("        return LIMIT\n", "        # a bound\n        return (LIMIT)\n"),
        ("        assert self.helped", '        """One."""\n        assert self.helped'),
        ("class Judge(Base):", 'class Judge(Base):\n    """A judge."""\n'),
    ],
)
def test_formatting_comments_and_docstrings_change_no_identity(
    identity: Identity, name: str, edit: tuple[str, str]
) -> None:
    before = identity(name)
    assert before is not None
    assert len(before) == 12
    assert identity(name, edit) == before


@pytest.mark.parametrize(
    ("name", "edit", "file"),
    [
        ("plain", (" and sample.output", " or sample.output"), "own.py"),
        ("plain", ("len(text) < LIMIT", "len(text) <= LIMIT"), "own.py"),
        ("plain", ("LIMIT = 3", "LIMIT = 4"), "own.py"),
        ("plain", ('"bob"', '"eve"'), "own.py"),
        ("wrapped", ("== 1", "== 2"), "own.py"),
        ("wrapped", ("return function(sample)\n", "return not function(sample)\n"), "own.py"),
        ("doubled", ("hidden(2)", "hidden(3)"), "own.py"),
        ("doubled", ("LIMIT = 3", "LIMIT = 4"), "own.py"),
        ("doubled", ("factor *", "1 + factor *"), "own.py"),
        ("imported", ("return n", "return n + 1"), "rules/limits.py"),
        ("imported", ("LEAST = 1", "LEAST = 2"), "rules/limits.py"),
        ("imported", ("'a'", "'b'"), "rules/words.py"),
        ("lazy", ("True", "False"), "rules/lazy.py"),
        ("loose", ("made(1)", "made(3)"), "own.py"),
        ("loose", ("output > threshold", "output >= threshold"), "own.py"),
        ("tight", ("allowed=True", "allowed=False"), "own.py"),
        ("tight", ("output > threshold", "output >= threshold"), "own.py"),
        ("arrow", ("LIMIT = 3", "LIMIT = 4"), "own.py"),
        ("judge", ("Judge(3)", "Judge(4)"), "own.py"),
        ("judge", ("limit() <", "limit() <="), "own.py"),
        ("judge", ("LIMIT = 3", "LIMIT = 4"), "own.py"),
        ("Judge", ("return LIMIT", "return -LIMIT"), "own.py"),
        ("TestAll.test_one", ("least = 1", "least = 2"), "own.py"),
        ("TestAll.test_one", ("and threshold", "or threshold"), "own.py"),
        ("TestAll.test_one", ("return 3", "return 4"), "conftest.py"),
        ("after", ("count - 1", "count - 2"), "own.py"),
    ],
)
def test_an_edit_of_what_the_code_says_or_stands_on_changes_its_identity(
    identity: Identity, name: str, edit: tuple[str, str], file: str
) -> None:
    assert identity(name, edit, file=file) != identity(name)


@pytest.mark.parametrize(
    ("name", "edit", "file"),
    [
        ("plain", ("output == 1", "output == 2"), "own.py"),
        ("alone", ("LIMIT = 3", "LIMIT = 4"), "own.py"),
        ("imported", ("return 0", "return 1"), "rules/limits.py"),
        ("imported", ("['cards']", "['loans']"), "rules/teams.py"),
        ("loose", ("made(2)", "made(5)"), "own.py"),
        ("TestAll.test_one", ("assert sample\n", "assert not sample\n"), "own.py"),
        ("alone", ("alone", "also_alone"), "own.py"),
    ],
)
def test_an_edit_elsewhere_changes_no_identity(
    identity: Identity, name: str, edit: tuple[str, str], file: str
) -> None:
    now = "also_alone" if edit[1] == "also_alone" else name
    assert identity(now, edit, file=file) == identity(name)


def test_decorators_that_wrap_nothing_do_not_count(identity: Identity) -> None:
    edits = [
        ("def alone", "def noted(function, **how): return function\n\n\ndef alone"),
        ("def alone", "@partial(noted, samples=3)\ndef alone"),
    ]
    assert identity("alone", *edits) == identity("alone")
    assert identity("after", edits[0], ("def after", "@noted\ndef after")) == identity("after")


def test_one_code_has_one_identity_wherever_it_lies(identity: Identity, tmp_path: Path) -> None:
    before = identity("imported")
    moved = tmp_path / "moved"
    for path, text in FILES.items():
        (moved / path).parent.mkdir(exist_ok=True, parents=True)
        (moved / path).write_text(text, encoding="utf-8")
    module = import_code(str(moved / "own.py"), Project.find(moved))
    assert code_identity(module.imported) == before


MADE = """
from functools import singledispatch


def by_closure(limit):
    return lambda sample: sample.output > limit


def by_default(limit):
    def score(sample, least=limit):
        return sample.output > least
    return score


def by_keyword(limit):
    def score(sample, *, least=limit):
        return sample.output > least
    return score


def by_slot(limit):
    return Slotted(limit)


def both(low, high):
    return lambda sample: low(sample) and not high(sample)


class Slotted:
    __slots__ = ("limit",)

    def __init__(self, limit):
        self.limit = limit

    def __call__(self, sample):
        return sample.output > self.limit


@singledispatch
def dispatched(sample):
    return True
"""


@pytest.fixture
def made(tmp_path: Path) -> SimpleNamespace:
    (tmp_path / "made.py").write_text(MADE, encoding="utf-8")
    (tmp_path / "pyproject.toml").touch()
    return SimpleNamespace(**vars(import_code(str(tmp_path / "made.py"), Project.find(tmp_path))))


@pytest.mark.parametrize("factory", ["by_closure", "by_default", "by_keyword", "by_slot"])
def test_the_numbers_of_one_factory_tell_its_scorers_apart(
    made: SimpleNamespace, factory: str
) -> None:
    limits: list[object] = [1, 2, 1.5, float("inf"), float("nan"), (1, 2), (1, 3), ((1,), 2)]
    found = [code_identity(getattr(made, factory)(limit)) for limit in limits]
    assert None not in found
    assert len({*found}) == len(limits)


def test_numbers_count_where_they_are_held(made: SimpleNamespace) -> None:
    one, other = made.by_closure, made.by_default
    assert code_identity(made.both(one(1), other(2))) != code_identity(made.both(one(2), other(1)))


def test_texts_and_lists_that_a_factory_was_given_do_not_count(made: SimpleNamespace) -> None:
    for one, other in (("a", "b"), ([1], [2]), ({"a": 1}, {})):
        assert code_identity(made.by_closure(one)) == code_identity(made.by_closure(other))


def test_of_what_python_wraps_the_wrapped_counts(made: SimpleNamespace) -> None:
    before = code_identity(made.dispatched)
    assert before is not None
    assert before != code_identity(singledispatch(made.by_closure(1)))
    assert code_identity(itemgetter("score")) is None


def test_what_has_no_source_has_no_identity() -> None:
    names: dict[str, object] = {}
    exec(dedent("def made_up(sample):\n    return True\n"), names)  # noqa: S102  has no file
    assert code_identity(names["made_up"]) is None
    assert code_identity(len) is None
    assert code_identity(object()) is None


def test_identities_of_this_python_are_those_of_all_others(identity: Identity) -> None:
    """They are committed with baselines, and read by whatever Python a CI has."""
    assert {name: identity(name) for name in ("plain", "imported", "judge")} == {
        "plain": "8e3f640a835b",
        "imported": "bc29e9ed50f9",
        "judge": "81d8d74908bd",
    }


NAMED = """
from linenotes.evals.scorers import handoffs, scorer
from mlflow.genai.scorers import ResponseLength, scorer as theirs


class Judge:
    def __init__(self, mode):
        self.mode = mode

    def __call__(self, sample):
        return self.mode == "strict"


@scorer(unit="EUR")
def paid(sample):
    return 1.0


@theirs
def brief(outputs):
    # a line
    return len(outputs) < 80


def polite(sample):
    return True


judge = Judge("strict")
route = handoffs("triage", "reviewer")
length = ResponseLength(max_length=9)
"""


@pytest.fixture
def code(
    make_project: Callable[..., Project],
) -> Callable[..., str | None]:
    """Return the code of a scorer as it is named, after an edit of its file."""

    def find(spec: str, old: str = "", new: str = "") -> str | None:
        assert old in NAMED
        (found,) = find_scorers([spec], make_project({"own.py": NAMED.replace(old, new)}))
        return found.code

    return find


@pytest.mark.parametrize(
    ("spec", "old", "new"),
    [
        ("own.py:judge", '"strict")', '"lenient")'),
        ("own.py:paid", "1.0", "2.0"),
        ("own.py:brief", "80", "90"),
        ("own.py:route", '"reviewer"', '"specialist"'),
        ("own.py:length", "9", "10"),
        ("own.py:Judge('strict')", "==", "!="),
        ('of_agent("desk", "own.py:polite")', "True", "False"),
    ],
)
def test_whatever_a_file_names_as_a_scorer_is_known_by_its_code(
    code: Callable[..., str | None], spec: str, old: str, new: str
) -> None:
    before = code(spec)
    assert before is not None
    assert code(spec, "    # a line\n") == before
    assert code(spec, old, new) != before


def test_built_in_scorers_have_no_code(code: Callable[..., str | None]) -> None:
    assert [code(spec) for spec in ("matches_expectations", "no_loop(2)")] == [None, None]


def test_a_metric_of_a_library_is_known_by_its_version_and_what_it_was_made_with() -> None:
    from importlib.metadata import version

    from mlflow.genai.judges import make_judge
    from mlflow.genai.scorers import ResponseLength

    short, long = (as_scorer(ResponseLength(max_length=n)).code for n in (9, 90))
    assert str(short).startswith(f"mlflow {version('mlflow')} ")
    assert short != long
    judge = make_judge(name="polite", instructions="Is {{ outputs }} polite?", model="openai:/m")
    assert as_scorer(judge).code is None, "a judge is pinned with all that it is asked with"


def test_a_function_that_works_out_a_value_is_code() -> None:
    assert value(lambda sample: 1.0 if sample.output else 0.0, failed=0).code is not None
    assert value("2*right", failed=0).code is None
