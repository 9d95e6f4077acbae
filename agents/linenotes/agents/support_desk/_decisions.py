"""How an agent of the desk decides: it asks its model once and gets one of the choices back.

A prompt's text is the system message. Where the text says `{{examples}}`, similar messages of
other customers stand as earlier turns of the conversation, `user: ...` and the right answer after
`assistant: ...`, the most similar one last. The customer's own words come last. The answer is JSON
with one enum, whose schema goes to the provider: a decision is always one of the choices.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.types import Command

from linenotes.agents import chat_model, prompt
from linenotes.agents.support_desk._state import DeskState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linenotes.agents.support_desk._retrieval import Neighbour

Field = Literal["team", "intent"]

_TURN = re.compile(r"^(user|assistant): ", flags=re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Question:
    """What an agent asks its model about a case."""

    text: str
    """The customer's words."""
    field: Field
    """What is to be decided."""
    choices: Sequence[str]
    neighbours: Sequence[Neighbour]
    """Similar messages, for a prompt that shows examples."""

    @property
    def examples(self) -> str:
        """The neighbours as turns of a conversation, the most similar last."""
        shown = sorted(self.neighbours, key=lambda neighbour: neighbour.similarity)
        return "\n".join(
            f"user: {n.example.text}\nassistant: {self.answer(getattr(n.example, self.field))}"
            for n in shown
        )

    @property
    def response_format(self) -> dict[str, object]:
        """The schema of the answer, as OpenAI-compatible providers take it."""
        schema = {
            "type": "object",
            "properties": {self.field: {"type": "string", "enum": list(self.choices)}},
            "required": [self.field],
            "additionalProperties": False,
        }
        return {
            "type": "json_schema",
            "json_schema": {"name": self.field, "strict": True, "schema": schema},
        }

    def answer(self, choice: str) -> str:
        """Return the answer that chooses `choice`."""
        return json.dumps({self.field: choice}, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Decision:
    """What a model chose, and the message in which it said so."""

    choice: str
    message: AIMessage


class Agent(Runnable[DeskState, Command[str]]):
    """A node of the graph: it considers a case, asks its model, and acts on the decision."""

    def __init__(
        self,
        role: str,
        *,
        consider: Callable[[DeskState], Question],
        act: Callable[[DeskState, Decision], Command[str]],
    ) -> None:
        self.name = role
        self._prompt = prompt(role, folder=Path(__file__).with_name("prompts"))
        self._model = chat_model(role)
        self._consider = consider
        self._act = act

    def invoke(
        self,
        input: DeskState,  # noqa: A002  LangChain's name for it
        config: RunnableConfig | None = None,
        **_: object,
    ) -> Command[str]:
        """Handle a case."""
        question = self._consider(input)
        said = self._model.invoke(
            self._messages(question), config, response_format=question.response_format
        )
        return self._act(input, self._decision(question, said))

    async def ainvoke(
        self,
        input: DeskState,  # noqa: A002  LangChain's name for it
        config: RunnableConfig | None = None,
        **_: object,
    ) -> Command[str]:
        """Handle a case while others are handled."""
        question = self._consider(input)
        said = await self._model.ainvoke(
            self._messages(question), config, response_format=question.response_format
        )
        return self._act(input, self._decision(question, said))

    def _messages(self, question: Question) -> list[AnyMessage]:
        known = {"choices": ", ".join(question.choices), "examples": question.examples}
        wanted = {name: known[name] for name in known.keys() & self._prompt.placeholders}
        system, *turns = _TURN.split(self._prompt.format(**wanted))
        messages: list[AnyMessage] = [SystemMessage(system.strip())]
        for speaker, text in zip(turns[::2], turns[1::2], strict=True):
            kind = HumanMessage if speaker == "user" else AIMessage
            messages.append(kind(text.strip()))
        return [*messages, HumanMessage(question.text)]

    def _decision(self, question: Question, said: AIMessage) -> Decision:
        try:
            choice = json.loads(said.text)[question.field]
        except (json.JSONDecodeError, KeyError, TypeError):
            choice = None
        if choice not in question.choices:
            raise ValueError(
                f"The model of {self.name!r} answered {said.text!r}, not one of the choices. "
                "Use a model whose endpoint keeps to a JSON schema."
            )
        return Decision(choice, said.model_copy(update={"name": self.name}))
