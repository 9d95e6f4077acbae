from __future__ import annotations

from dataclasses import replace

import pytest

from linenotes.project import RunError
from linenotes.tracing import Focus, Ledger, Message, MessageKind, Tokens


def said(
    id_: str,
    sender: str,
    *recipients: str,
    kind: MessageKind = "reply",
    cause: tuple[str, ...] = (),
    tokens: int = 0,
    cost: float | None = None,
) -> Message:
    return Message(
        id=id_,
        kind=kind,
        sender=sender,
        recipients=recipients,
        text=id_,
        cause=cause,
        tokens=Tokens(input=tokens),
        cost=cost,
        start_ns=int(id_) * 10,
        end_ns=int(id_) * 10 + 5,
    )


TEAM = Ledger(
    (
        said("1", "user", "boss", kind="input"),
        said("2", "boss", "team/lead", kind="handoff", cause=("1",), tokens=1, cost=0.1),
        said("3", "team/lead", "team/search/web", cause=("2",), tokens=10, cost=0.2),
        said("4", "team/search/web", "team/lead", cause=("3",), tokens=100, cost=0.4),
        said("5", "team/lead", "boss", cause=("4",), tokens=1_000),
        said("6", "team", "boss", kind="ack", cause=("5",)),
        said("7", "boss", "user", cause=("6",), tokens=10_000),
    )
)


def routes(ledger: Ledger) -> list[str]:
    return [message.route for message in ledger]


def test_everything_but_plumbing_is_in_focus() -> None:
    assert [message.id for message in Focus().apply(TEAM)] == ["1", "2", "3", "4", "5", "7"]
    assert Focus(plumbing=True).apply(TEAM) == TEAM


def test_what_answered_a_message_that_is_left_out_answers_what_that_one_answered() -> None:
    assert Focus().apply(TEAM).messages[-1].cause == ("5",)
    assert Focus(actor="boss").apply(TEAM).messages[-2].cause == ("2",)


def test_actors_are_taken_together_below_a_depth() -> None:
    assert routes(Focus(depth=1).apply(TEAM)) == [
        "user → boss",
        "boss → team",
        "team → boss",
        "boss → user",
    ]
    assert "team/lead → team/search" in routes(Focus(depth=2).apply(TEAM))
    assert Focus(depth=3).apply(TEAM) == Focus().apply(TEAM)


def test_what_is_said_inside_an_actor_is_paid_by_what_it_sends_out() -> None:
    answer = Focus(depth=1).apply(TEAM).messages[2]
    assert answer.tokens.total == 1_110
    assert answer.cost == pytest.approx(0.6)
    assert (answer.start_ns, answer.end_ns) == (30, 55)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_no_token_is_lost_at_any_depth(depth: int) -> None:
    assert Focus(depth=depth).apply(TEAM).tokens == TEAM.tokens


def test_an_actor_that_has_sent_nothing_out_yet_keeps_its_last_message() -> None:
    begun = Ledger(TEAM.messages[:4])
    shown = Focus(depth=1).apply(begun)
    assert routes(shown) == ["user → boss", "boss → team", "team"]
    assert shown.tokens == begun.tokens


def test_a_message_to_several_keeps_those_outside() -> None:
    ledger = Ledger((said("1", "team/a", "team/b", "boss"),))
    assert routes(Focus(depth=1).apply(ledger)) == ["team → boss"]


def test_what_a_part_gives_its_actor_goes_to_who_reads_it_there() -> None:
    given = replace(said("1", "team/scribe", "team"), seen_by=("writer", "critic"))
    (shown,) = Focus(depth=1).apply(Ledger((given,)))
    assert (shown.route, shown.seen_by) == ("team → writer", ("critic",))
    unread = Ledger((said("1", "team/scribe", "team"), said("2", "team", "boss")))
    assert routes(Focus(depth=1).apply(unread)) == ["team → boss"]


def test_what_an_actor_says_to_itself_is_not_inside_it() -> None:
    ledger = Ledger((said("1", "a", "a"), said("2", "a")))
    assert routes(Focus(depth=1).apply(ledger)) == ["a → a", "a"]


@pytest.mark.parametrize("name", ["team/search/web", "web", "search"])
def test_an_actor_is_named_by_its_path_its_end_or_a_part_of_it(name: str) -> None:
    assert [message.id for message in Focus(actor=name).apply(TEAM)] == ["3", "4"]


def test_an_actor_may_be_one_of_those_taken_together() -> None:
    assert routes(Focus(depth=1, actor="team").apply(TEAM)) == ["boss → team", "team → boss"]


def test_an_actor_that_takes_no_part_is_a_mistake_that_names_those_who_do() -> None:
    with pytest.raises(RunError, match=r"'nobody'.*team/lead"):
        Focus(actor="nobody").apply(TEAM)
