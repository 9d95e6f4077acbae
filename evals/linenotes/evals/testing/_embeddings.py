"""OpenAI's embeddings API: texts that share words have vectors that are near.

Each word (or token id) adds to a few places of the vector that follow from the word alone.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from typing import Literal

from pydantic import BaseModel, Field, JsonValue

_WORD = re.compile(r"\w+")


class _Body(BaseModel):
    model: str
    input: str | list[str] | list[int] | list[list[int]]
    dimensions: int = Field(1536, ge=1, le=16_384)
    encoding_format: Literal["float", "base64"] = "float"


def document(body: bytes) -> JsonValue:
    """Return the reply to the request that `body` holds.

    Raises:
        ValueError: it is not one.
    """
    asked = _Body.model_validate_json(body)
    texts = [_words(text) for text in _texts(asked.input)]
    data: list[JsonValue] = [
        {
            "object": "embedding",
            "index": index,
            "embedding": _encoded(_vector(words, asked.dimensions), asked.encoding_format),
        }
        for index, words in enumerate(texts)
    ]
    count = sum(map(len, texts))
    usage: JsonValue = {"prompt_tokens": count, "total_tokens": count}
    return {"object": "list", "model": asked.model, "data": data, "usage": usage}


def _texts(asked: str | list[str] | list[int] | list[list[int]]) -> list[str | list[int]]:
    if isinstance(asked, str):
        return [asked]
    tokens = [item for item in asked if isinstance(item, int)]
    return [tokens] if tokens else [item for item in asked if not isinstance(item, int)]


def _words(text: str | list[int]) -> list[str]:
    return _WORD.findall(text.lower()) if isinstance(text, str) else [str(token) for token in text]


def _vector(words: list[str], dimensions: int) -> list[float]:
    vector = [0.0] * dimensions
    vector[0] = 1e-6  # no text is the zero vector, which has no direction
    for word in words:
        for place in struct.unpack("<8I", hashlib.sha256(word.encode()).digest()):
            vector[(place >> 1) % dimensions] += 1.0 if place & 1 else -1.0
    length = math.hypot(*vector)
    return [value / length for value in vector]


def _encoded(vector: list[float], encoding: str) -> JsonValue:
    if encoding == "float":
        return [*vector]
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
