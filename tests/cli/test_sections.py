from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linenotes.cli._eval import command

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def test_every_option_of_eval_stands_once_and_under_a_heading(cli: Cli) -> None:
    options = cli("eval", "--help").out.partition("What is evaluated:")[2]
    listed = re.findall(r"^  (?:-\w, )?(--[\w-]+)", options, flags=re.MULTILINE)
    own = {option.opts[-1] for option in command.params if option.param_type_name == "option"}
    assert sorted(listed) == sorted(own | {"--help"})


def test_a_heading_stands_above_what_belongs_to_it(cli: Cli) -> None:
    recordings = cli("eval", "--help").out.partition("Recordings:")[2].partition("Going on:")[0]
    assert "--replay" in recordings
    assert "--budget-usd" not in recordings
