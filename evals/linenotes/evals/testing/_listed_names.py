"""Names that a prompt lists and a schema does not: whom to hand over to, which agent is next.

Many graphs ask for a name as any text and say which names there are in words, as
`- researcher: finds things`. A model that reads would choose one of those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from linenotes.evals.testing._words import reads_as_an_end

_LISTED = re.compile(r"^\s*[-*]\s+[`\"'*]*([\w-]+)[`\"'*]*(?=:| \()", re.MULTILINE)
_QUOTED = re.compile(r"[`\"'](\w+)[`\"']")
_MEANS_ONE = re.compile(
    r"(^|_)(agent|member|name|next|owner|recipient|role|to|type|worker)$", re.IGNORECASE
)


def with_listed_names(
    schema: Mapping[str, JsonValue], texts: Iterable[str]
) -> Mapping[str, JsonValue]:
    """Return `schema` with the names that the first of `texts` with a list of names gives."""
    names = next(filter(None, map(_LISTED.findall, texts)), [])
    properties = schema.get("properties")
    if not names or not isinstance(properties, dict):
        return schema
    named = {
        name: {**part, "enum": [*names, *_endings(part)]}
        for name, part in properties.items()
        if isinstance(part, dict) and _MEANS_ONE.search(name) and _is_any_text(part)
    }
    return {**schema, "properties": {**properties, **named}}


def _is_any_text(schema: Mapping[str, JsonValue]) -> bool:
    return schema.get("type") == "string" and not {"const", "enum", "format"} & schema.keys()


def _endings(schema: Mapping[str, JsonValue]) -> list[str]:
    """Return the words for being finished that the description of a field offers."""
    return [
        word for word in _QUOTED.findall(str(schema.get("description"))) if reads_as_an_end(word)
    ]
