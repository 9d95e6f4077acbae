"""The reference agent: a support desk of five agents, and the same desk without a model."""

from linenotes.agents.support_desk._baseline import nearest_neighbour
from linenotes.agents.support_desk._graph import build
from linenotes.agents.support_desk._scorers import intent_correct, team_correct

__all__ = ["build", "intent_correct", "nearest_neighbour", "team_correct"]
