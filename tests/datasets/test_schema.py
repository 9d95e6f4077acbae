from __future__ import annotations

import json

from linenotes.datasets import Case, golden_schema, golden_schema_file


def test_the_shipped_schema_is_that_of_a_case() -> None:
    assert golden_schema_file().read_text(encoding="utf-8") == golden_schema(), (
        "Write it again: python -c 'from linenotes.datasets import golden_schema; "
        'print(golden_schema(), end="")\' > datasets/linenotes/datasets/golden.schema.json'
    )


def test_the_schema_describes_every_field_and_no_other() -> None:
    case = json.loads(golden_schema())["$defs"]["Case"]
    assert list(case["properties"]) == list(Case.model_fields)
    assert all(field["description"] for field in case["properties"].values())
    assert case["required"] == ["id", "inputs"]
    assert case["additionalProperties"] is False


def test_the_schema_admits_a_case_a_list_and_a_mapping_with_cases() -> None:
    schema = json.loads(golden_schema())
    one, several, named = schema["anyOf"]
    assert one == several["items"] == {"$ref": "#/$defs/Case"}
    assert named["properties"]["cases"] == several
    assert named["required"] == ["cases"]
