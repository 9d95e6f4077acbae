"""A secret that is written in another way is a secret still."""

from __future__ import annotations

import base64
import json
import urllib.parse
from typing import Any

import pytest

from linenotes.project import Redactor

CORE = "q9T" + "a1B2" * 9
SECRETS = (f"sk-proj-{CORE}", f"postgresql://app:{CORE}@db:5432/app", f"password={CORE}")


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_masked_however_it_is_written(secret: str) -> None:
    coded = base64.b64encode(f"it is {secret} .".encode()).decode()
    within_url = base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")
    address = f"https://example.com/a/{urllib.parse.quote(secret, safe='')}/b"
    masked = Redactor().text(f"say \x1b[1;31m{secret}\x1b[0m\n{coded}\n{within_url}\n{address}")
    for written in (CORE, coded[8:-8], within_url[4:-4]):
        assert written not in masked
    assert masked.count("[secret:") == 4
    assert masked.startswith("say \x1b[1;31m")
    assert "\nhttps://example.com/a/" in masked


@pytest.mark.parametrize(
    "text",
    [
        "a picture " + base64.b64encode(bytes(range(256)) * 9).decode(),
        "a letter " + base64.b64encode(b"Dear Ann, the password is required. Yours, Bob").decode(),
        "100%25 of https://example.com/find?q=the%20password%20is%20required",
        "\x1b[32mpassed\x1b[0m tests/agents/linenotes/project/redaction/test_encodings.py",
    ],
)
def test_what_is_no_secret_stays_as_it_is_written(text: str) -> None:
    assert Redactor().text(text) == text


def test_a_secret_that_lies_across_the_blocks_of_a_message_is_masked() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    said = [f"Use sk-proj-{CORE[:20]}", f"{CORE[20:]} now.", "Bye."]
    content = [{"type": "text", "text": text} for text in said]
    message: dict[str, Any] = {"text": "".join(said), "content": [content[0], image, *content[1:]]}
    masked = Redactor().value(message)
    assert CORE[20:] not in json.dumps(masked)
    assert masked["content"][1] == image
    assert [block.get("text") for block in masked["content"]] == [masked["text"], None, "", ""]
