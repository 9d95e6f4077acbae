"""`linenotes prompt`: prompts and their versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from linenotes.cli._options import json_option

if TYPE_CHECKING:
    from pydantic import JsonValue

    from linenotes.agents import PromptLibrary, PromptRegistry, RegisteredPrompt
    from linenotes.project import Project

_EPILOG = """\b
Examples:
  linenotes prompt list
  linenotes prompt list support_desk --json
"""


@dataclass(frozen=True)
class _Listed:
    """One prompt: its versions in files, and in the registry, newest first."""

    name: str
    files: list[str]
    in_force: str | None
    registry: list[RegisteredPrompt]


@click.group()
def command() -> None:
    """Show prompts and their versions."""


@command.command("list", epilog=_EPILOG)
@click.argument("agent", required=False)
@json_option
def list_(agent: str | None, as_json: bool) -> int:
    """List the prompts of the project, or those that AGENT can reach.

    Shown are the versions in files, the one in force, and what the MLflow registry holds.
    """
    from linenotes.agents import PromptLibrary, load_agent, prompt_library
    from linenotes.cli._console import console, print_json, table
    from linenotes.project import Project

    project = Project.find()
    of_agent = prompt_library(load_agent(agent, project)) if agent else None
    library = of_agent or PromptLibrary.of_project(project)
    listed = _listing(library, project)
    if as_json:
        print_json({"schema_version": 1, "prompts": [_document(prompt) for prompt in listed]})
    elif listed:
        header = ("prompt", "in force", "files", "registry")
        console().print(table([header, *(_row(prompt) for prompt in listed)]))
    else:
        click.echo("There are no prompts. Put one into prompts/NAME/v1.md.")
    return 0


def _listing(library: PromptLibrary, project: Project) -> list[_Listed]:
    registry = _registry(project)
    registered = set(registry.names()) if registry else set()
    return [
        _Listed(
            name=name,
            files=list(library.versions(name)),
            in_force=project.settings.prompts.get(name) or _newest(library, name),
            registry=registry.versions(name) if registry and name in registered else [],
        )
        for name in sorted({*library.names(), *registered})
    ]


def _registry(project: Project) -> PromptRegistry | None:
    """Return the registry, unless the store is a local one that does not exist yet."""
    from linenotes.agents import PromptRegistry

    local = project.tracking_uri.startswith("sqlite:") and not project.state.exists()
    return None if local else PromptRegistry(project.tracking_uri)


def _newest(library: PromptLibrary, name: str) -> str | None:
    return next(reversed(library.versions(name)), None)


def _document(prompt: _Listed) -> dict[str, JsonValue]:
    return {
        "name": prompt.name,
        "in_force": prompt.in_force,
        "files": list(prompt.files),
        "registry": [{"version": v.number, "aliases": list(v.aliases)} for v in prompt.registry],
    }


def _row(prompt: _Listed) -> tuple[str, ...]:
    registry = [
        " ".join([str(version.number), *(f"@{alias}" for alias in version.aliases)])
        for version in reversed(prompt.registry)
    ]
    return (
        prompt.name,
        prompt.in_force or "–",
        ", ".join(prompt.files) or "–",
        ", ".join(registry) or "–",
    )
