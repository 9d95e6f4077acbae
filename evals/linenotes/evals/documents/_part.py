"""What the documents are made of. A key keeps its meaning within a version; keys may be added."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

Target = Literal["population", "dataset"]
"""What an interval speaks of, as in `linenotes.evals.statistics`, which is slow to import."""
Document = dict[str, JsonValue]


class Part(BaseModel):
    """What all documents and their parts have in common."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )

    def dump(self) -> Document:
        """Return the document as plain JSON values."""
        return self.model_dump(mode="json")
