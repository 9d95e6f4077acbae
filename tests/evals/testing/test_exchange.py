from __future__ import annotations

from typing import Any

import pytest

from linenotes.evals.testing import Reply


def test_a_call_in_another_shape_is_refused_where_it_is_written() -> None:
    calls: Any = [{"name": "search"}]
    with pytest.raises(TypeError, match=r"Write ToolCall\('name'"):
        Reply(tool_calls=calls)
