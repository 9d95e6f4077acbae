from __future__ import annotations

import pytest

from linenotes.agents.support_desk._retrieval import Example, Examples, View

EXAMPLES = Examples(
    [
        Example("is my passport expired", "travel", "international_visa"),
        Example("when is my flight", "travel", "flight_status"),
        Example("what does my card cost", "credit_cards", "international_fees"),
        Example("when does my card expire", "credit_cards", "expiration_date"),
    ]
)


@pytest.mark.parametrize("view", ["letters", "words"])
def test_message_is_nearest_to_itself(view: View) -> None:
    nearest, other = EXAMPLES.nearest("when is my flight", count=2, views=[view])

    assert nearest.example.intent == "flight_status"
    assert nearest.similarity == pytest.approx(1)
    assert 0 <= other.similarity < 1


def test_letters_see_related_words_where_words_do_not() -> None:
    (by_letters,) = EXAMPLES.nearest("expires", count=1, views=["letters"])
    (by_words,) = EXAMPLES.nearest("expires", count=1, views=["words"])

    assert by_letters.example.text == "when does my card expire"
    assert by_words.similarity == 0


def test_neighbours_of_one_team_can_be_asked_for() -> None:
    found = EXAMPLES.nearest("when does my card expire", count=4, team="travel")

    assert {neighbour.example.intent for neighbour in found} == {
        "international_visa",
        "flight_status",
    }


def test_words_unknown_to_every_example_have_distant_neighbours() -> None:
    found = EXAMPLES.nearest("żółw", count=3)

    assert [neighbour.similarity for neighbour in found] == [0, 0, 0]
