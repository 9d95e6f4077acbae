from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linenotes.project import TraceFileError
from linenotes.tracing import read_conversations

if TYPE_CHECKING:
    from tests.tracing.files.conftest import ReadFile

HI = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]


def test_tau_bench_reads_as_tasks_with_trials_and_rewards(tau_bench_excerpt: Path) -> None:
    found = list(read_conversations(tau_bench_excerpt, identity="t", agent="airline"))
    assert [(one.case, one.sample, one.scores["reward"]) for one in found[:4]] == [
        ("39", 0, 1.0),
        ("41", 0, 0.0),
        ("43", 0, 1.0),
        ("39", 1, 0.0),
    ]
    assert len(found) == 12
    assert found[0].inputs["task"] == "39"
    assert "instruction" in found[0].inputs
    assert list(found[0].expectations) == ["actions"]


def test_every_conversation_of_tau_bench_reads_right(tau_bench_excerpt: Path) -> None:
    for one in read_conversations(tau_bench_excerpt, identity="t", agent="airline"):
        by_id = {message.id: message for message in one.trace.messages}
        assert one.trace.messages[0].route == "user → airline"
        for message in one.trace.messages[1:]:
            (cause,) = (by_id[id_] for id_ in message.cause)
            assert cause.recipients == (message.sender,)
            assert len(message.recipients) == 1


@pytest.mark.parametrize(
    "written",
    [
        [{"messages": HI}],
        [[{"messages": HI}]],
        [{"conversation": HI}],
        [{"traj": HI, "info": {}}],
        [{"simulations": [{"messages": HI}]}],
        [{"info": {}, "results": [{"trajectory": HI}]}],
        [HI],
        [[HI]],
        HI,
    ],
)
def test_a_conversation_is_read_in_every_shape(read_file: ReadFile, written: list[Any]) -> None:
    (found,) = read_file(*written)
    assert [message.text for message in found.trace.messages] == ["Hi", "Yes?"]


def test_a_record_a_line_is_a_conversation_each(read_file: ReadFile) -> None:
    first, second = read_file({"messages": HI}, {"messages": HI})
    assert (first.case, second.case) == ("conversation-1", "conversation-2")
    assert second.place.endswith(":line 2")
    assert first.trace.trace_id != second.trace.trace_id


def test_trials_without_a_number_are_counted(read_file: ReadFile) -> None:
    found = read_file([{"task_id": "a", "messages": HI}, {"task_id": "a", "messages": HI}])
    assert [(one.case, one.sample) for one in found] == [("a", 0), ("a", 1)]


@pytest.mark.parametrize(
    ("fields", "scores"),
    [
        ({"reward": 1}, {"solved": 1.0}),
        ({"reward": True}, {"solved": True}),
        ({"score": 0.25}, {"solved": 0.25}),
        ({"reward_info": {"reward": 0.0}}, {"solved": 0.0}),
        ({"scores": {"polite": True, "late": None}}, {"polite": True}),
        ({"reward": None}, {}),
        ({}, {}),
    ],
)
def test_rewards_are_scores(
    read_file: ReadFile, fields: dict[str, Any], scores: dict[str, Any]
) -> None:
    (found,) = read_file({"messages": HI, **fields}, metric="solved")
    assert found.scores == scores


def test_a_trial_that_ended_in_an_error_is_kept_without_messages(read_file: ReadFile) -> None:
    (found,) = read_file([{"task_id": 1, "reward": 0.0, "info": {"error": "boom"}, "traj": []}])
    assert (found.trace.state, found.trace.error) == ("ERROR", "boom")


def test_ids_of_traces_follow_from_identity_case_and_sample(read_file: ReadFile) -> None:
    (first,) = read_file({"messages": HI})
    (again,) = read_file({"messages": HI})
    (other,) = read_file({"messages": HI}, identity="other")
    assert first.trace.trace_id == again.trace.trace_id != other.trace.trace_id


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"foo": 1}, r"has the keys 'foo', and no list of messages. A record is"),
        ({}, r"has the keys nothing, and no list of messages"),
        ([1], r"record 1 is 1, which is no conversation"),
        ("text", r"is 'text', which is no conversation"),
        ({"messages": []}, r"messages is empty"),
        ([], r"holds no conversation\. A record is"),
        ([{"messages": HI}, {"messages": [1]}], r"record 2: messages\[0\] is a number"),
        ({"messages": HI, "reward": "good"}, r"reward is 'good'"),
        ({"messages": HI, "task_id": 1, "trial": -1}, r"trial is -1"),
        ({"messages": HI, "task_id": 1, "trial": "9" * 5000}, r"trial is '9{59}\. A trial"),
        ({"messages": [{"role": "9" * 5000, "content": ""}]}, r"role is '9{59}\. A role"),
        ({"messages": HI, "task_id": [1]}, r"task_id is \[1\]"),
    ],
)
def test_what_is_no_record_is_named_with_its_place(
    read_file: ReadFile, written: object, told: str
) -> None:
    with pytest.raises(TraceFileError, match=told):
        read_file(written)
