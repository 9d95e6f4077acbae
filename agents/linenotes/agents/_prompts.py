"""Prompts are files with versions, or entries of the MLflow Prompt Registry.

`prompts/NAME/VERSION.md` holds one version of one prompt; `prompts/NAME.md` is a prompt with a
single version, `v1`. Code asks for a prompt by name only: which version it gets is decided by
the version in force, so trying another one touches no code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from linenotes.agents import _in_force
from linenotes.project import Project, PromptError, digest

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_SUFFIXES = (".md", ".txt")


@dataclass(frozen=True)
class Prompt:
    """One version of one prompt. Placeholders are written `{{name}}`, as MLflow writes them."""

    name: str
    version: str
    """The file's version (`v2`), or the registry's (`@champion`, `registry:3`)."""
    text: str
    registry_version: int | None = None
    """The number in the MLflow Prompt Registry, where the prompt came from there."""

    @property
    def digest(self) -> str:
        """The sha256 of the text: what the prompt says, wherever it is kept."""
        return digest(self.text)

    @property
    def placeholders(self) -> frozenset[str]:
        """The names that `format` must fill."""
        return frozenset(_PLACEHOLDER.findall(self.text))

    def format(self, **values: object) -> str:
        """Return the text with every placeholder filled.

        Raises:
            PromptError: a placeholder has no value, or a value has no placeholder.
        """
        missing = sorted(self.placeholders - values.keys())
        unknown = sorted(values.keys() - self.placeholders)
        if missing or unknown:
            raise PromptError(self._misfit(missing, unknown))
        return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), self.text)

    def _misfit(self, missing: list[str], unknown: list[str]) -> str:
        where = f"Prompt {self.name!r} version {self.version!r}"
        if unknown:
            wanted = "{{" + unknown[0] + "}}"
            return f"{where} lacks the placeholder {wanted}. Add it to the text, or do not pass it."
        return f"{where} needs a value for {missing[0]!r}. Pass it to format()."


def prompt(name: str, *, folder: Path | None = None) -> Prompt:
    """Return the prompt `name` in force.

    Args:
        name: the prompt's name.
        folder: where an agent that ships its own prompts keeps them; used outside a version.

    Raises:
        PromptError: there is no such prompt.
    """
    found = _in_force.read(f"prompt({name!r})")
    if found is not None:
        return _named(name, found.prompts)
    project = Project.find()
    library = PromptLibrary.of_project(project, beside=folder)
    return library.resolve(name, project.settings.prompts.get(name))


def _named(name: str, prompts: Mapping[str, Prompt]) -> Prompt:
    if name not in prompts:
        raise PromptError(_not_found(name, sorted(prompts)))
    return prompts[name]


def _not_found(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    if near:
        return f"There is no prompt {name!r}. Did you mean {near[0]!r}?"
    listing = f"The prompts are {', '.join(known)}." if known else "There are no prompts at all."
    return f"There is no prompt {name!r}. {listing} Put its text into prompts/{name}/v1.md."


@dataclass(frozen=True)
class PromptLibrary:
    """The prompts that an agent can reach: folders, the first found wins, and the registry."""

    folders: tuple[Path, ...]
    tracking_uri: str
    """Where the MLflow Prompt Registry is; asked only when a version names it."""

    @classmethod
    def of_project(cls, project: Project, *, beside: Path | None = None) -> PromptLibrary:
        """Return the project's prompts, after those in `beside`, an agent's own folder."""
        own = project.root / project.settings.prompt_folder
        folders = tuple(f for f in (beside, own) if f is not None and f.is_dir())
        return cls(folders=tuple(dict.fromkeys(folders)), tracking_uri=project.tracking_uri)

    def names(self) -> list[str]:
        """Return the names of all prompts that are kept in files, sorted."""
        return sorted({name for folder in self.folders for name in _names_in(folder)})

    def versions(self, name: str) -> dict[str, Path]:
        """Return version to file of the prompt `name`, oldest first; empty if there is none."""
        for folder in self.folders:
            found = _versions_in(folder, name)
            if found:
                return found
        return {}

    def resolve(self, name: str, version: str | None = None) -> Prompt:
        """Return one version of a prompt; None stands for the newest file.

        Args:
            name: the prompt's name.
            version: a file's version (`v2`, or `2` for short), `@alias`, or `registry:N`.

        Raises:
            PromptError: there is no such prompt, or no such version of it.
        """
        files = self.versions(name)
        if version is None:
            version = next(reversed(files), None)
        if version is None:
            raise PromptError(_not_found(name, self.names()))
        if version.startswith(("@", "registry:")):
            return self._from_registry(name, version)
        path = files.get(version) or files.get(f"v{version}")
        if path is None:
            raise PromptError(self._no_version(name, version, list(files)))
        return Prompt(name=name, version=_version_of(path, name), text=_read(path))

    def _from_registry(self, name: str, version: str) -> Prompt:
        from linenotes.agents._prompt_registry import PromptRegistry

        registered = PromptRegistry(self.tracking_uri).load(name, version)
        return Prompt(name, version, registered.text, registry_version=registered.number)

    def _no_version(self, name: str, version: str, files: list[str]) -> str:
        if not files:
            return _not_found(name, self.names())
        return (
            f"Prompt {name!r} has no version {version!r}. Its files are {', '.join(files)}; "
            f"a version of the registry is written @ALIAS or registry:N."
        )


def _names_in(folder: Path) -> list[str]:
    return [path.stem for path in folder.iterdir() if path.is_dir() or path.suffix in _SUFFIXES]


def _versions_in(folder: Path, name: str) -> dict[str, Path]:
    files = [p for p in (folder / name).glob("*") if p.suffix in _SUFFIXES]
    files += [p for suffix in _SUFFIXES if (p := folder / f"{name}{suffix}").is_file()]
    return {_version_of(p, name): p for p in sorted(files, key=_natural_order)}


def _version_of(path: Path, name: str) -> str:
    return path.stem if path.parent.name == name else "v1"


def _natural_order(path: Path) -> list[tuple[int, int | str]]:
    """Sort v2 before v10."""
    parts = re.split(r"(\d+)", path.stem)
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise PromptError(f"{path}: not UTF-8: {error}. Save the file as UTF-8.") from None
