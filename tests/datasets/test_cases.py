from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from linenotes.datasets import Case, Dataset
from linenotes.project import DatasetError


def case(number: int, **fields: object) -> Case:
    return Case.model_validate({"id": f"c{number:03}", "inputs": {"question": number}, **fields})


def dataset(*cases: Case) -> Dataset:
    return Dataset("desk", cases)


def ids(selected: Dataset) -> list[str]:
    return [case.id for case in selected.cases]


@pytest.mark.parametrize(
    "fields",
    [
        {"id": ""},
        {"id": " padded"},
        {"id": "two\nlines"},
        {"id": 7},
        {"inputs": {}},
        {"inputs": "plain text"},
        {"inputs": {"score": float("nan")}},
        {"inputs": {"deep": {"score": [1.0, float("inf")]}}},
        {"inputs": {"big": 2**64}},
        {"inputs": {"half": "\ud800"}},
        {"expectations": {"when": b"bytes"}},
        {"weight": 0},
        {"weight": 5e-324},
        {"weight": 1e308},
        {"tags": {"topic": "\ud800"}},
        {"weight": -1.0},
        {"weight": float("inf")},
        {"weight": "2"},
        {"weight": True},
        {"tags": {"level": 3}},
        {"cluster": ""},
        {"split": ""},
        {"expected": {"answer": "yes"}},
    ],
)
def test_a_case_refuses_what_no_golden_file_may_hold(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        case(1, **fields)


def test_an_input_nested_without_end_is_refused() -> None:
    nested: object = "core"
    for _ in range(100):
        nested = [nested]
    with pytest.raises(ValidationError, match="nested deeper"):
        case(1, inputs={"nested": nested})


def test_a_case_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        case(1).id = "other"


def test_two_cases_of_one_id_make_no_dataset() -> None:
    with pytest.raises(DatasetError, match="'desk' has two cases 'c001'"):
        dataset(case(1), case(1))


def test_the_digest_does_not_depend_on_order_name_or_written_defaults() -> None:
    written = case(1, expectations={}, tags={}, weight=1, split=None)
    assert dataset(case(1), case(2)).digest == Dataset("other", (case(2), written)).digest


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "other"},
        {"inputs": {"question": "1"}},
        {"inputs": {"question": 1.0}},
        {"expectations": {"answer": "yes"}},
        {"tags": {"domain": "travel"}},
        {"split": "val"},
        {"cluster": "refund"},
        {"weight": 2},
    ],
)
def test_the_digest_depends_on_every_field(fields: dict[str, object]) -> None:
    assert dataset(case(1, **fields)).digest != dataset(case(1)).digest


def test_a_split_is_its_cases_with_a_digest_of_their_own() -> None:
    whole = dataset(case(1, split="val"), case(2, split="test"), case(3, split="val"), case(4))
    val = whole.select("val")
    assert ids(val) == ["c001", "c003"]
    assert val.digest != whole.digest
    assert whole.splits == ("test", "val")
    assert whole.select().digest == whole.digest


def test_an_unknown_split_names_the_splits_there_are() -> None:
    with pytest.raises(DatasetError, match=r"no split 'tset'. Its splits: test, val\."):
        dataset(case(1, split="val"), case(2, split="test")).select("tset")
    with pytest.raises(DatasetError, match=r"no split 'test'. It has none\."):
        dataset(case(1)).select("test")


@pytest.mark.parametrize("limit", [0, -3])
def test_a_limit_that_leaves_nothing_is_refused(limit: int) -> None:
    with pytest.raises(DatasetError, match=f"at least 1 case, not {limit}"):
        dataset(case(1)).select(limit=limit)


def test_a_limit_spreads_over_tag_values_before_it_repeats_one() -> None:
    domains = ["a"] * 5 + ["b"] * 3 + ["c"] * 2
    whole = dataset(*(case(n, tags={"domain": domain}) for n, domain in enumerate(domains)))
    assert ids(whole.select(limit=3)) == ["c000", "c005", "c008"]
    assert ids(whole.select(limit=6)) == ["c000", "c001", "c005", "c006", "c008", "c009"]


def test_a_limit_spreads_over_clusters_within_a_tag_value() -> None:
    whole = dataset(
        case(1, tags={"domain": "a"}, cluster="x"),
        case(2, tags={"domain": "a"}, cluster="x"),
        case(3, tags={"domain": "a"}, cluster="y"),
        case(4, tags={"domain": "b"}, cluster="z"),
    )
    assert ids(whole.select(limit=3)) == ["c001", "c003", "c004"]


def test_a_limit_without_tags_and_clusters_takes_the_first_cases() -> None:
    whole = dataset(*(case(n) for n in range(5)))
    assert ids(whole.select(limit=2)) == ["c000", "c001"]
    assert ids(whole.select(limit=99)) == ids(whole)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", "z", None])),
        min_size=1,
        max_size=15,
    )
)
def test_a_smaller_limit_takes_a_part_of_a_larger_one(traits: list[tuple[str, str | None]]) -> None:
    whole = dataset(
        *(
            case(n, tags={"domain": domain}, cluster=cluster)
            for n, (domain, cluster) in enumerate(traits)
        )
    )
    taken = [set(ids(whole.select(limit=limit))) for limit in range(1, len(traits) + 1)]
    assert [len(part) for part in taken] == list(range(1, len(traits) + 1))
    assert all(smaller < larger for smaller, larger in pairwise(taken))
