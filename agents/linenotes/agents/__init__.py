"""What runs: graphs, the prompts and models in force for them, and their versions."""

from linenotes.agents._chat_model import chat_model
from linenotes.agents._code import Commit
from linenotes.agents._in_force import DEFAULT_ROLE
from linenotes.agents._inputs import text_input
from linenotes.agents._loading import SHIPPED, Agent, load_agent
from linenotes.agents._local_model import LocalModelStatus, local_model_status
from linenotes.agents._logged_model import VersionCard, log_version
from linenotes.agents._prompt_registry import PromptRegistry, RegisteredPrompt
from linenotes.agents._prompts import Prompt, PromptLibrary, prompt
from linenotes.agents._sampling import SampleScope, current_sample, sample_scope
from linenotes.agents._versions import AgentVersion, prompt_library
from linenotes.agents._weights import install_weights

__all__ = [
    "DEFAULT_ROLE",
    "SHIPPED",
    "Agent",
    "AgentVersion",
    "Commit",
    "LocalModelStatus",
    "Prompt",
    "PromptLibrary",
    "PromptRegistry",
    "RegisteredPrompt",
    "SampleScope",
    "VersionCard",
    "chat_model",
    "current_sample",
    "install_weights",
    "load_agent",
    "local_model_status",
    "log_version",
    "prompt",
    "prompt_library",
    "sample_scope",
    "text_input",
]
