from __future__ import annotations

from typing import Any

from linenotes.tracing import Ledger
from linenotes.tracing.files._chat_ledger import read_ledger
from linenotes.tracing.files._chat_messages import read_messages


def ledger(*messages: dict[str, Any]) -> Ledger:
    chat = read_messages(messages, "messages")
    times = [(n, n + 1) for n in range(len(chat))]
    return Ledger(read_ledger(chat, times, agent="desk", model=None).rows)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def says(text: str | None, *calls: tuple[str, str], name: str | None = None) -> dict[str, Any]:
    listed = [{"id": id_, "name": tool, "arguments": {}} for id_, tool in calls]
    return {"role": "assistant", "content": text, "tool_calls": listed, "name": name}


def result(call: str | None, text: str = "ok", name: str | None = None) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call, "content": text, "name": name}


def routes(found: Ledger) -> list[tuple[str, str]]:
    return [(message.kind, message.route) for message in found]


def causes(found: Ledger) -> list[list[int]]:
    order = {message.id: place for place, message in enumerate(found)}
    return [[order[cause] for cause in message.cause] for message in found]


def test_a_conversation_goes_back_and_forth() -> None:
    found = ledger(user("Hi"), says("Yes?"), user("Bye"))
    assert routes(found) == [
        ("input", "user → desk"),
        ("reply", "desk → user"),
        ("input", "user → desk"),
    ]
    assert causes(found) == [[], [0], [1]]
    assert [message.sampled for message in found] == [False, True, False]


def test_a_call_goes_to_its_tool_and_the_result_comes_back() -> None:
    found = ledger(user("Hi"), says("Wait.", ("c", "find")), result("c"), says("Done."))
    assert routes(found)[1:] == [
        ("call", "desk → find"),
        ("result", "find → desk"),
        ("reply", "desk → user"),
    ]
    assert causes(found) == [[], [0], [1], [2]]
    assert [message.text for message in found][1] == "Wait.\nfind()"


def test_calls_at_once_are_one_message_and_their_results_join_in_the_answer() -> None:
    found = ledger(
        user("Hi"), says(None, ("a", "f"), ("b", "g")), result("b"), result("a"), says("Done.")
    )
    assert routes(found)[1:4] == [
        ("call", "desk → f, g"),
        ("result", "g → desk"),
        ("result", "f → desk"),
    ]
    assert causes(found)[4] == [2, 3]


def test_an_id_that_a_file_repeats_is_that_of_the_call_without_a_result() -> None:
    found = ledger(
        user("Hi"), says(None, ("c", "f")), result("c"), says(None, ("c", "g")), result("c")
    )
    assert [message.sender for message in found if message.kind == "result"] == ["f", "g"]
    assert causes(found)[-1] == [3]


def test_a_result_without_an_id_is_found_by_its_name_or_as_the_next() -> None:
    found = ledger(
        user("Hi"),
        says(None, ("a", "f"), ("b", "g")),
        result(None, name="g"),
        result(None),
    )
    assert [message.sender for message in found][2:] == ["g", "f"]


def test_a_result_of_a_call_that_is_not_there_is_kept() -> None:
    found = ledger(user("Hi"), result("nope", "lost"), says("Yes?"))
    assert routes(found)[1] == ("result", "tool → desk")
    assert causes(found)[1:] == [[], [0, 1]]


def test_a_system_prompt_is_no_message_between_actors() -> None:
    found = ledger({"role": "system", "content": "Be kind."}, user("Hi"), says("Yes?"))
    assert len(found) == 2


def test_agents_with_names_speak_to_whoever_speaks_next() -> None:
    found = ledger(user("Hi"), says("Write it.", name="boss"), says("Written.", name="writer"))
    assert routes(found) == [
        ("input", "user → boss"),
        ("reply", "boss → writer"),
        ("reply", "writer → user"),
    ]
    assert [message.seen_by for message in found] == [("writer",), (), ()]


def test_each_turn_of_an_agent_is_told_apart() -> None:
    found = ledger(user("Hi"), says(None, ("c", "f")), result("c"), says("A"), user("B"), says("C"))
    activations = [message.activation for message in found if message.sampled]
    assert activations == ["desk:1", "desk:1", "desk:2"]


def test_a_user_may_call_tools_too() -> None:
    asks = {**user("Let me see."), "tool_calls": [{"id": "c", "name": "phone", "arguments": {}}]}
    found = ledger(user("Hi"), says("Restart."), asks, result("c"), user("It works."))
    assert routes(found)[2:] == [
        ("call", "user → phone"),
        ("result", "phone → user"),
        ("input", "user → desk"),
    ]
