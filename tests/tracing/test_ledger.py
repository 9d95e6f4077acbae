from __future__ import annotations

from linenotes.tracing import Ledger, Message, Tokens


def reply(sender: str, *recipients: str, activation: str | None = None) -> Message:
    return Message(
        f"{sender}-{activation}", "reply", sender, "Yes.", recipients, activation=activation
    )


def said(cost: float | None = None, *, tokens: int = 0, sampled: bool = True) -> Message:
    return Message("m", "reply", "a", "text", cost=cost, tokens=Tokens(tokens), sampled=sampled)


def test_actors_are_senders_and_recipients_in_order_of_appearance() -> None:
    ledger = Ledger((reply("user", "desk"), reply("desk", "find", "look"), reply("find", "desk")))
    assert ledger.actors == ("user", "desk", "find", "look")


def test_activations_are_numbered_where_an_actor_has_several() -> None:
    ledger = Ledger(
        (
            reply("boss", activation="1"),
            reply("worker", activation="2"),
            reply("worker", activation="3"),
            reply("worker", activation="2"),
        )
    )
    assert ledger.instances == {"1": "boss", "2": "worker#1", "3": "worker#2"}


def test_calls_and_tokens_are_those_of_models() -> None:
    ledger = Ledger((said(tokens=3), said(sampled=False), said(tokens=4)))
    assert (ledger.calls, ledger.tokens) == (2, Tokens(7))


def test_costs_are_added_up_as_far_as_they_are_known() -> None:
    ledger = Ledger((said(0.25), said(None), said(0.5), said(None, sampled=False)))
    assert (ledger.cost, ledger.unpriced) == (0.75, 1)


def test_a_cost_that_nobody_knows_is_not_zero() -> None:
    assert (Ledger((said(None),)).cost, Ledger().cost) == (None, None)
    assert Ledger((said(0.0),)).cost == 0.0


def test_a_route_without_recipients_is_the_sender() -> None:
    assert (reply("desk").route, reply("desk", "a", "b").route) == ("desk", "desk → a, b")
