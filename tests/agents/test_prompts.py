from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.agents import Prompt, PromptLibrary, prompt
from linenotes.project import Project, PromptError

MakeProject = Callable[..., Project]


@pytest.fixture
def project(make_project: MakeProject) -> Project:
    return make_project(
        **{
            "prompts/triage/v1.md": "Name the team.\n",
            "prompts/triage/v2.md": "Name the team of {{ customer }}.",
            "prompts/triage/v10.md": "Say it in {{language}} to {{customer}}.",
            "prompts/tone.txt": "Be kind.",
        }
    )


def test_the_newest_version_is_in_force(project: Project) -> None:
    assert prompt("triage").version == "v10"
    assert prompt("tone") == Prompt(name="tone", version="v1", text="Be kind.")
    assert project.settings.prompts == {}


def test_the_settings_can_pin_a_version(make_project: MakeProject, project: Project) -> None:
    make_project(**{"pyproject.toml": '[tool.linenotes.prompts]\ntriage = "1"\n'})
    assert prompt("triage").text == "Name the team."
    assert project.settings.prompts == {}


def test_placeholders_are_filled_whatever_their_spacing(project: Project) -> None:
    library = PromptLibrary.of_project(project)
    assert library.resolve("triage", "v2").format(customer="Ann") == "Name the team of Ann."


def test_a_value_with_braces_is_not_filled_again(project: Project) -> None:
    library = PromptLibrary.of_project(project)
    filled = library.resolve("triage", "v10").format(language="{{customer}}", customer="Bo")
    assert filled == "Say it in {{customer}} to Bo."


def test_a_placeholder_that_the_prompt_lacks_is_an_error(project: Project) -> None:
    library = PromptLibrary.of_project(project)
    with pytest.raises(PromptError, match=r"'triage' version 'v1' lacks .*\{\{customer\}\}"):
        library.resolve("triage", "v1").format(customer="Ann")


def test_a_placeholder_without_a_value_is_an_error(project: Project) -> None:
    library = PromptLibrary.of_project(project)
    with pytest.raises(PromptError, match="needs a value for 'customer'"):
        library.resolve("triage", "v2").format()


@pytest.mark.parametrize(
    ("name", "version", "message"),
    [
        ("traige", None, "Did you mean 'triage'"),
        ("zzz", None, "The prompts are tone, triage"),
        ("triage", "v7", r"no version 'v7'\. Its files are v1, v2, v10"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(
    name: str, version: str | None, message: str, project: Project
) -> None:
    with pytest.raises(PromptError, match=message):
        PromptLibrary.of_project(project).resolve(name, version)


def test_a_prompt_that_is_not_utf_8_names_its_file(project: Project) -> None:
    path = project.root / "prompts" / "tone.txt"
    path.write_bytes(b"caf\xe9")
    with pytest.raises(PromptError, match=r"tone\.txt: not UTF-8"):
        prompt("tone")


def test_prompts_beside_the_agent_come_before_the_projects(project: Project) -> None:
    beside = project.root / "agent" / "prompts"
    (beside / "triage").mkdir(parents=True)
    (beside / "triage" / "v3.md").write_text("Mine.", encoding="utf-8")
    library = PromptLibrary.of_project(project, beside=beside)
    assert library.resolve("triage").text == "Mine."
    assert library.resolve("tone").text == "Be kind."


def test_the_digest_is_of_the_text_alone() -> None:
    assert Prompt("a", "v1", "x").digest == Prompt("b", "@champion", "x", 3).digest
    assert Prompt("a", "v1", "x").digest != Prompt("a", "v1", "y").digest
