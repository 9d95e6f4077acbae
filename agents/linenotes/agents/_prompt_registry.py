"""The MLflow Prompt Registry: where prompts that are not files live, and where all are shown.

A prompt file is registered once for each text it ever had; the same text is never registered
twice, so the registry's versions are the history of what the prompt said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from linenotes.agents._prompts import Prompt
from linenotes.project import PromptError, Redactor, keep_offline, store_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import PromptVersion

_EXPERIMENTS = "_mlflow_experiment_ids"
"""The tag by which MLflow finds the prompts of an experiment."""


@dataclass(frozen=True)
class RegisteredPrompt:
    """One version of a prompt in the registry."""

    name: str
    number: int
    """The registry's version number, from 1."""
    text: str
    aliases: tuple[str, ...] = ()


class PromptRegistry:
    """Reads and writes the prompts of one MLflow store."""

    def __init__(self, tracking_uri: str) -> None:
        self._tracking_uri = tracking_uri

    @cached_property
    def _client(self) -> MlflowClient:
        keep_offline()
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self._tracking_uri, registry_uri=self._tracking_uri)

    def load(self, name: str, version: str) -> RegisteredPrompt:
        """Return the version `@alias` or `registry:N` of the prompt `name`.

        Raises:
            PromptError: the registry holds no such prompt, alias or version.
        """
        found = self.find(name, version)
        if found is None:
            raise PromptError(
                f"The MLflow Prompt Registry holds no version {version!r} of prompt {name!r}. "
                f"`linenotes prompt list` shows what it holds."
            )
        return found

    def find(self, name: str, version: str) -> RegisteredPrompt | None:
        """Return the version `@alias` or `registry:N` of the prompt `name`; None without one.

        Raises:
            PromptError: the registry does not answer, or cannot be asked so.
        """
        from mlflow.exceptions import MlflowException

        path = f"{name}{version}" if version.startswith("@") else name + "/" + version[9:]
        try:
            found = self._client.load_prompt(f"prompts:/{path}", allow_missing=True)
        except MlflowException as error:
            raise PromptError(f"Prompt {name!r} version {version!r}: {error.message}") from None
        return _registered(found) if found else None

    def move_alias(self, name: str, alias: str, number: int, why: Mapping[str, str]) -> None:
        """Let an alias mean the version `number`, with tags on that version that say why."""
        with self._attributed(f"move the alias {alias!r} of prompt {name!r} in"):
            for key, value in why.items():
                self._client.set_prompt_version_tag(name, str(number), key, value)
            self._client.set_prompt_alias(name, alias, number)

    def versions(self, name: str) -> list[RegisteredPrompt]:
        """Return all versions of the prompt `name`, newest first; empty if there is none.

        Raises:
            StoreError: the store does not answer; so for all that follows.
        """
        from mlflow.exceptions import MlflowException

        with self._attributed("read the prompts of"):
            try:
                return sorted(self._all_versions(name), key=lambda version: -version.number)
            except MlflowException as error:
                if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                    return []
                raise

    def names(self) -> list[str]:
        """Return the names of all registered prompts, sorted."""
        with self._attributed("read the prompts of"):
            return sorted(prompt.name for prompt in self._client.search_prompts(max_results=1000))

    def register(self, prompt: Prompt, *, experiment_id: str) -> int:
        """Return the registry's number for this text, registering it if it is new.

        The prompt is then among those that MLflow shows with the experiment.
        """
        shown_in = self._shown_in(prompt.name, experiment_id)
        number = prompt.registry_version or self._number_of(prompt)
        with self._attributed(f"write the prompt {prompt.name!r} to"):
            if number is None:
                return self._register(prompt, shown_in)
            self._client.set_prompt_tag(prompt.name, _EXPERIMENTS, shown_in)
            return number

    def _number_of(self, prompt: Prompt) -> int | None:
        text = Redactor.current().text(prompt.text)
        same = (v.number for v in self.versions(prompt.name) if v.text == text)
        return next(same, None)

    def _register(self, prompt: Prompt, shown_in: str) -> int:
        created = self._client.register_prompt(
            name=prompt.name,
            template=Redactor.current().text(prompt.text),
            commit_message=f"{prompt.name} {prompt.version}",
            tags={
                "linenotes.version": prompt.version,
                "linenotes.digest": prompt.digest,
                # Set here and not afterwards: MLflow adds its active experiment in a thread of
                # its own, and two that set a tag for the first time are in each other's way.
                _EXPERIMENTS: shown_in,
            },
        )
        return int(created.version)

    def _shown_in(self, name: str, experiment_id: str) -> str:
        """Return the experiments that show the prompt, this one included, as MLflow writes them."""
        with self._attributed("read the prompts of"):
            prompt = self._client.get_prompt(name)
        shown = prompt.tags.get(_EXPERIMENTS, "") if prompt else ""
        ids = dict.fromkeys([*filter(None, shown.split(",")), experiment_id])
        return f",{','.join(ids)},"

    def _all_versions(self, name: str) -> Iterator[RegisteredPrompt]:
        token: str | None = None
        while True:
            page = self._client.search_prompt_versions(name, page_token=token)
            yield from map(_registered, page)
            token = page.token
            if not token:
                return

    def _attributed(self, doing: str) -> AbstractContextManager[None]:
        return store_errors(doing, self._tracking_uri)


def _registered(version: PromptVersion) -> RegisteredPrompt:
    template = version.template
    if not isinstance(template, str):
        raise PromptError(
            f"Prompt {version.name!r} version {version.version} is a list of chat messages. "
            "linenotes reads text prompts: register the text of one message."
        )
    return RegisteredPrompt(
        name=version.name,
        number=int(version.version),
        text=template,
        aliases=tuple(version.aliases),
    )
