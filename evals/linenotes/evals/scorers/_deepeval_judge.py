"""A role's model as the judge of DeepEval's metrics. Importing this imports DeepEval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepeval.models import DeepEvalBaseLLM

from linenotes.agents import chat_model
from linenotes.evals.scorers._judge_identities import model_of_role

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage


class RoleJudge(DeepEvalBaseLLM):  # type: ignore[no-untyped-call]  # DeepEval is half typed
    """The model of a role, as the settings have it whenever it is asked."""

    def __init__(self, role: str) -> None:
        self._role = role
        super().__init__(role)

    def load_model(self) -> RoleJudge:
        """Return itself: the model of the role is found when it is asked."""
        return self

    def generate(self, prompt: str) -> str:
        """Return what the model answers."""
        return _text(chat_model(self._role).invoke(prompt))

    async def a_generate(self, prompt: str) -> str:
        """Return what the model answers."""
        return _text(await chat_model(self._role).ainvoke(prompt))

    def get_model_name(self) -> str:
        """Return who judges."""
        return model_of_role(self._role)


def _text(answer: BaseMessage) -> str:
    return str(answer.text)
