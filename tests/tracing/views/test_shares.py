from __future__ import annotations

from linenotes.tracing import Ledger, Message, MessageKind, Tokens, shares

SECOND = 1_000_000_000


def said(
    sender: str,
    *recipients: str,
    kind: MessageKind = "reply",
    tokens: int = 0,
    cost: float | None = None,
    time: tuple[float, float] = (0, 0),
) -> Message:
    return Message(
        id=f"{sender} {time}",
        kind=kind,
        sender=sender,
        recipients=recipients,
        text="",
        tokens=Tokens(input=tokens),
        cost=cost,
        start_ns=int(time[0] * SECOND),
        end_ns=int(time[1] * SECOND),
        sampled=tokens > 0,
    )


LEDGER = Ledger(
    (
        said("user", "team/lead", kind="input"),
        said("team/lead", "search", kind="call", tokens=10, cost=0.5, time=(1, 2)),
        said("search", "team/lead", kind="result", time=(2, 5)),
        said("receipt", "team/lead", kind="ack"),
        said("team/lead", "user", tokens=20, cost=0.25, time=(5, 6)),
    )
)


def test_each_actor_has_what_it_did_and_cost() -> None:
    lead = shares(LEDGER)[1]
    assert (lead.actor, lead.role) == ("team/lead", "agent")
    assert (lead.sent, lead.received, lead.calls) == (2, 2, 2)
    assert (lead.tokens.total, lead.cost, lead.seconds) == (30, 0.75, 2)


def test_the_user_and_tools_are_told_from_agents() -> None:
    assert [(share.actor, share.role) for share in shares(LEDGER)] == [
        ("user", "user"),
        ("team/lead", "agent"),
        ("search", "tool"),
    ]


def test_actors_below_a_depth_count_as_the_one_above() -> None:
    assert [share.actor for share in shares(LEDGER, depth=1)] == ["user", "team", "search"]
    assert shares(LEDGER, depth=1)[1].tokens.total == 30


def test_two_things_at_the_same_time_take_their_time_once() -> None:
    ledger = Ledger((said("a", "b", time=(1, 3)), said("a", "c", time=(2, 4))))
    assert shares(ledger)[0].seconds == 3
