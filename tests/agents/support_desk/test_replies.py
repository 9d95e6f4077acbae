from __future__ import annotations

from importlib import resources

import yaml

from linenotes.agents.support_desk._replies import reply
from linenotes.agents.support_desk._teams import OUT_OF_SCOPE, intents

FOLDER = resources.files("linenotes.agents.support_desk")


def test_every_intent_has_a_reply_and_no_other() -> None:
    written = yaml.safe_load((FOLDER / "replies.yaml").read_text(encoding="utf-8"))

    expected = {team: set(of_team) for team, of_team in intents().items()}
    expected[OUT_OF_SCOPE] = {OUT_OF_SCOPE}
    assert {team: set(texts) for team, texts in written.items()} == expected


def test_replies_differ_and_carry_their_label() -> None:
    replies = {reply(team, intent) for team, all_ in intents().items() for intent in all_}

    assert len(replies) == 150
    assert reply("meta", "no") == "Very well, I take that as a no. [template meta/no]"
