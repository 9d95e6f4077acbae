from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from linenotes.project import Project, RecordingError
from linenotes.tracing import RecordingPolicy


@pytest.mark.parametrize(
    ("wishes", "is_closed", "replays", "records"),
    [
        ({}, False, False, False),
        ({"record": "auto"}, False, True, True),
        ({"record": "all"}, False, False, True),
        ({"replay": True}, True, True, False),
        ({"live": ("a",)}, True, True, False),
        ({"record": "auto", "live": ("a",)}, False, True, True),
    ],
)
def test_a_policy_says_what_happens_to_a_call(
    wishes: Mapping[str, Any], *, is_closed: bool, replays: bool, records: bool
) -> None:
    policy = RecordingPolicy(**wishes)
    assert policy.is_closed is is_closed
    assert policy.replays is replays
    assert policy.records is records
    assert policy.is_on is bool(wishes)


@pytest.mark.parametrize(
    "wishes",
    [
        {"record": "auto", "replay": True},
        {"record": "all", "live": ("a",)},
        {"strict": True},
        {"record": "all", "strict": True},
    ],
)
def test_contradicting_wishes_are_refused(wishes: Mapping[str, Any]) -> None:
    with pytest.raises(RecordingError):
        RecordingPolicy(**wishes)


def test_a_project_may_record_without_being_asked(project: Project) -> None:
    assert not RecordingPolicy.of(project).is_on
    settings = '[tool.linenotes.recordings]\nrecord = "auto"\n'
    (project.root / "pyproject.toml").write_text(settings)
    assert RecordingPolicy.of(Project.find()) == RecordingPolicy(record="auto")
