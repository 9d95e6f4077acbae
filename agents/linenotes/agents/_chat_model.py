"""The model that plays a role, as a LangChain chat model."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from linenotes.agents._in_force import model_settings
from linenotes.project import ModelError, ModelSettings

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI

    from linenotes.agents.endpoints._attempts import Manners

_LOCAL = ("smollm2-135m",)
"""The embedded models, as `local:NAME` in the settings and as the server names itself."""


def chat_model(role: str) -> ChatOpenAI:
    """Return the model that the version in force gives to `role`; else the project's.

    It is a plain `ChatOpenAI` in every way of calling it, and may be made while the graph is
    built or inside a node. Each call made within a sample gets a seed of its own, derived from
    the sample, the role and the request; a `seed` that the caller gives stands.

    The messages go out as they are. The embedded model wants a system message: without one its
    template puts a general one in, and its answers are much worse.

    Raises:
        ModelError: the model is not known, or its key, engine or weights are missing.
    """
    settings = model_settings(role)
    if settings.model.startswith("local:"):
        return _embedded(role, settings)
    from linenotes.agents._http_clients import remote_clients
    from linenotes.agents._seeded_chat import seeded_chat

    return seeded_chat(
        role,
        settings,
        model=settings.model,
        base_url=settings.base_url,
        api_key=_key(role, settings),
        clients=remote_clients(_manners(settings)),
        max_retries=0,
    )


def _manners(settings: ModelSettings) -> Manners:
    from linenotes.agents.endpoints._attempts import Manners

    return Manners(
        model=settings.model,
        max_retries=settings.max_retries,
        patience=settings.patience,
        max_in_flight=settings.max_in_flight,
    )


def _embedded(role: str, settings: ModelSettings) -> ChatOpenAI:
    name = settings.model.removeprefix("local:")
    if name not in _LOCAL:
        known = ", ".join(f"'local:{one}'" for one in _LOCAL)
        raise ModelError(
            f"The model {settings.model!r} of the role {role!r} is not known. "
            f"The embedded models are: {known}."
        )
    from linenotes.agents._http_clients import local_clients
    from linenotes.agents._local_model import local_server
    from linenotes.agents._seeded_chat import seeded_chat

    return seeded_chat(
        role,
        settings,
        model=name,
        base_url="http://localhost/v1",
        api_key="none",
        provider="local",
        max_retries=settings.max_retries,
        clients=local_clients(local_server()),
    )


def _key(role: str, settings: ModelSettings) -> str:
    key = os.environ.get(settings.api_key_env)
    if not key:
        raise ModelError(
            f"The model {settings.model!r} of the role {role!r} needs a key, and the environment "
            f"variable {settings.api_key_env} is not set. Set it (to any text if the endpoint "
            f"wants no key), or use the embedded model, 'local:{_LOCAL[0]}'."
        )
    return key
