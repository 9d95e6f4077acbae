"""The names by which LangGraph and the agents built on it leave their traces.

LangGraph keeps most of them to itself, so they stand here and nowhere else.
"""

from __future__ import annotations

from typing import Final

START: Final = "__start__"
"""The node through which an input comes."""
PUSH: Final = "__pregel_push"
"""The trigger of a task that a Send started."""
SENDS: Final = "__pregel_tasks"
"""The channel of Sends."""
BRANCH: Final = "branch:to:"
"""How the channel begins that wakes a node: its name follows."""
JOIN: Final = "join:"
"""How the channel begins that waits for several nodes: `join:a+b:c` wakes `c`."""
ROOT: Final = "__root__"
"""The channel of a state without fields."""
INPUT: Final = "__input__"
"""In whose name LangGraph keeps which channels the input has filled."""
INTERRUPT: Final = "__interrupt__"
"""The channel of a task's questions to a person."""
RESUME: Final = "__resume__"
"""The channel of the answers to them."""
ERROR: Final = "__error__"
"""The channel of the exception that a task ended with."""
NO_TASK: Final = "00000000-0000-0000-0000-000000000000"
"""The task in whose name LangGraph keeps what the user resumes with."""
HANDED_BACK: Final = "__is_handoff_back"
"""Metadata of messages that a supervisor's library made up for a handback."""
PARTS_OF_AN_AGENT: Final = frozenset(
    {
        "agent",
        "model",
        "tools",
        "pre_model_hook",
        "post_model_hook",
        "generate_structured_response",
    }
)
"""The nodes of which the agents of `create_agent` and its forerunner are made."""
