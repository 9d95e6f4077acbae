from __future__ import annotations

from collections.abc import Callable

from pydantic import JsonValue

from linenotes.tracing import RecordedCall, request_lines
from linenotes.tracing.recordings._near_misses import difference, nearest

Make = Callable[..., RecordedCall]


def _asked(text: str) -> JsonValue:
    return {"messages": [{"role": "human", "content": text}]}


def test_a_request_is_shown_as_who_says_what() -> None:
    call: JsonValue = {"name": "weather", "args": {"city": "Oslo"}, "id": "call-1"}
    request: JsonValue = {
        "messages": [
            {"role": "system", "content": "Be terse.\nBe kind."},
            {"role": "ai", "content": "", "tool_calls": [call]},
        ],
        "tools": [{"type": "function", "function": {"name": "weather"}}],
        "temperature": 0.5,
    }
    assert request_lines(request) == [
        "system   Be terse.",
        "         Be kind.",
        "ai       ",
        '         calls weather({"city":"Oslo"})',
        'tool     weather: {"type":"function","function":{"name":"weather"}}',
        "temperature 0.5",
    ]


def test_the_nearest_is_the_one_most_alike_of_the_same_agent(make_call: Make) -> None:
    near, far = make_call(asked="one\ntwo\nthree"), make_call(case="c1", asked="something else")
    found = nearest(_asked("one\ntwo\nfour"), near.key, [far, near])
    assert found == near
    assert nearest(_asked("one"), near.key, []) is None


def test_a_difference_is_short() -> None:
    assert difference(_asked("a\nb\nc\nd"), _asked("a\nb\nx\nd")) == [
        "          b",
        "-         c",
        "+         x",
        "          d",
    ]
    long = difference(_asked("\n".join("a" * 200)), _asked("\n".join("b" * 200)))
    assert long[-1].startswith("… ")
    assert len(long) == 25
    assert max(map(len, difference(_asked("a" * 300), _asked("b" * 300)))) == 100
