from __future__ import annotations

from linenotes.tracing import Incident, Message, MessageKind
from linenotes.tracing.views._lanes import Diagram


def said(
    sender: str, *recipients: str, kind: MessageKind = "reply", text: str = "words"
) -> Message:
    return Message(id="1", kind=kind, sender=sender, recipients=recipients, text=text)


def test_each_actor_has_a_lane_in_order_of_appearance() -> None:
    diagram = Diagram([said("user", "a"), said("a", "find", kind="call"), said("a", "b")])
    assert [(lane.actor, lane.role) for lane in diagram.lanes] == [
        ("user", "user"),
        ("a", "agent"),
        ("find", "tool"),
        ("b", "agent"),
    ]
    assert len({lane.x for lane in diagram.lanes}) == 4
    assert len({lane.colour for lane in diagram.lanes}) == 4


def test_instances_of_one_agent_have_lanes_side_by_side_in_their_order() -> None:
    names = ("find#2", "boss", "find#10/web", "find#1")
    diagram = Diagram([said("user", name) for name in names])
    assert [lane.actor for lane in diagram.lanes] == [
        "user", "find#1", "find#2", "boss", "find#10/web",
    ]  # fmt: skip
    found = Diagram([said("user", f"find#{number}") for number in (10, 9)]).lanes
    assert [lane.actor for lane in found] == ["user", "find#9", "find#10"]


def test_the_number_of_an_instance_is_never_cut_from_its_lane() -> None:
    crowd = [said("user", f"researcher#{number}/web") for number in range(12)]
    assert Diagram(crowd).lanes[12].lines == ("researcher", "#11/web")


def test_a_message_to_several_is_one_row_with_an_end_each() -> None:
    diagram = Diagram([said("a", "b"), said("a", "b", "c")])
    row = diagram.rows[1]
    assert row.ends == tuple(lane.x for lane in diagram.lanes[1:])
    assert (row.left, row.right) == (diagram.lanes[0].x, diagram.lanes[2].x)


def test_the_shape_tells_talk_handing_over_and_returning_apart() -> None:
    kinds: tuple[MessageKind, ...] = ("input", "handoff", "send", "result", "call")
    rows = Diagram([said("a", "b", kind=kind) for kind in kinds]).rows
    assert [row.shape for row in rows] == ["says", "hands", "hands", "returns", "tells"]


def test_what_nobody_got_and_what_one_told_oneself_stay_on_their_lane() -> None:
    kept, loop = Diagram([said("a"), said("a", "a")]).rows
    assert (kept.shape, loop.shape) == ("keeps", "loops")


def test_an_error_stands_on_the_lane_of_its_actor_below_what_was_said() -> None:
    error = Incident("error", "b", "E: boom", 1)
    diagram = Diagram([said("a", "b"), error, said("b", "a")])
    assert diagram.rows[1].start == diagram.lanes[1].x
    assert [row.anchor for row in diagram.rows] == ["m1", "x1", "m2"]
    assert [row.y for row in diagram.rows] == sorted({row.y for row in diagram.rows})


def test_everything_is_inside_the_picture_however_long() -> None:
    told = [said(f"team/agent {i}", f"agent {i * 7 % 40}", text="long " * 99) for i in range(40)]
    diagram = Diagram(told)
    for row in diagram.rows:
        half = len(row.label) * 6.6 / 2
        assert row.label_x - half > 0
        assert row.label_x + half < diagram.width
        assert 0 < row.y < diagram.height


def test_few_lanes_share_the_width_and_their_words_have_room() -> None:
    text = "I would like to have my card blocked, it was stolen."
    few = Diagram([said("user", "clerk", text=text), said("clerk", "user")])
    many = Diagram([said("user", *"abcdefgh")])
    assert few.rows[0].label == text
    assert few.lane_width(2) > few.lane_width(4) > many.lane_width(9)


def test_a_long_name_breaks_where_it_may() -> None:
    (lane, *_) = Diagram([said("search_timetables", *"abcdef")]).lanes
    assert lane.lines == ("search_", "timetables")
