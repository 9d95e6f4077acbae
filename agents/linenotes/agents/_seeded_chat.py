"""A `ChatOpenAI` whose calls each draw their own random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from linenotes.agents._http_clients import HttpClients
from linenotes.agents._sampling import current_sample
from linenotes.project import ModelSettings, digest

if TYPE_CHECKING:
    from langchain_core.language_models import LangSmithParams, LanguageModelInput


class SeededChatOpenAI(ChatOpenAI):
    role: str
    provider: str = "openai"
    """Who serves the model: what its calls cost depends on that."""

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: object) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = self.provider
        return params

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: object
    ) -> dict[str, Any]:
        payload = super()._get_request_payload(input_, stop=stop, **kwargs)
        scope = current_sample()
        # The Responses API, which some models are reached by, has "input", and knows no seed.
        if scope is not None and "messages" in payload and "seed" not in kwargs:
            payload["seed"] = scope.call_seed(self.role, _request_digest(payload))
        return payload

    def pass_over(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: object
    ) -> None:
        """Draw the seed of a call that is replayed: the next equal one gets another."""
        self._get_request_payload(input_, stop=stop, **kwargs)


def _request_digest(payload: dict[str, Any]) -> str:
    """Digest what is asked; streaming the answer does not make it another question."""
    asked = {k: repr(v) for k, v in payload.items() if k not in {"stream", "stream_options"}}
    return digest(asked)


def seeded_chat(
    role: str,
    settings: ModelSettings,
    *,
    model: str,
    base_url: str | None,
    api_key: str,
    clients: HttpClients,
    max_retries: int,
    provider: str = "openai",
) -> ChatOpenAI:
    """Return the chat model that calls `model` at `base_url` for `role`.

    Args:
        role: what the model plays.
        settings: how it answers.
        model: the endpoint's name for it.
        base_url: the endpoint; None is OpenAI's client's own default.
        api_key: what the endpoint wants.
        clients: how it is reached.
        max_retries: how often OpenAI's client tries again; 0 where the clients do it.
        provider: who serves the model.
    """
    return SeededChatOpenAI(
        role=role,
        provider=provider,
        model=model,
        base_url=base_url,
        api_key=SecretStr(api_key),
        temperature=settings.temperature,
        max_completion_tokens=settings.max_tokens,
        timeout=settings.timeout,
        max_retries=max_retries,
        seed=settings.seed,
        stream_usage=True,  # else the cost of a streamed answer would not be known
        http_client=clients.blocking,
        http_async_client=clients.asynchronous,
        openai_proxy=None,
        metadata={"linenotes_role": role},
    )
