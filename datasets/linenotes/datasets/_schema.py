"""The JSON schema of golden files, for editors that complete and check as one types.

`golden.schema.json` in this package is this schema, written out. A YAML file names it in its
first line, `# yaml-language-server: $schema=PATH`; of a JSONL file it describes each line.
"""

from __future__ import annotations

import json
from importlib import resources
from importlib.resources.abc import Traversable

from linenotes.datasets._cases import Case


def golden_schema() -> str:
    """Return the schema as JSON: one case, a list of cases, or a mapping with `cases`."""
    case = Case.model_json_schema()
    cases = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Case"}}
    named = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "The name of the dataset."},
            "cases": cases,
        },
        "required": ["cases"],
        "additionalProperties": False,
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "linenotes golden file",
        "$defs": {**case.pop("$defs", {}), "Case": case},
        "anyOf": [{"$ref": "#/$defs/Case"}, cases, named],
    }
    return json.dumps(schema, indent=2) + "\n"


def golden_schema_file() -> Traversable:
    """Return the file that is shipped, `golden.schema.json`."""
    return resources.files("linenotes.datasets").joinpath("golden.schema.json")
