from __future__ import annotations

import json

import pytest

from linenotes.project import Redactor

BODY = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"
HEX = "0123456789abcdef" * 2
SECRETS = {
    "anthropic-key": f"sk-ant-api03-{BODY}",
    "openai-key": f"sk-{BODY}",
    "google-key": f"AIza{BODY[:35]}",
    "aws-key": "AKIA" + "A1B2C3D4E5F6G7H8",
    "azure-key": f"{BODY}{BODY[:12]}JQQJ99{BODY[:26]}",
    "azure-secret": f"abc8Q~{BODY[:34]}",
    "github-token": f"ghp_{BODY[:36]}",
    "gitlab-token": f"glpat-{BODY[:20]}",
    "slack-token": f"xoxb-1234567890-{BODY[:24]}",
    "stripe-key": f"rk_live_{BODY[:24]}",
    "huggingface-token": f"hf_{BODY[:34]}",
    "databricks-token": f"dapi{HEX}",
    "npm-token": f"npm_{BODY[:36]}",
    "pypi-token": f"pypi-AgEIcHlwaS5vcmc{BODY}",
    "sendgrid-key": f"SG.{BODY[:22]}.{BODY}",
    "twilio-key": f"SK{HEX}",
    "jwt": f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{BODY}",
    "api-key": f"gsk_{BODY}",
}


@pytest.mark.parametrize(("kind", "secret"), SECRETS.items(), ids=SECRETS)
@pytest.mark.parametrize(
    "frame", ["{}", "It is {}, he said.", "a\n{}\nb", '{{"x": "{}"}}', "/{}/", "x={}&y", "é{}"]
)
def test_a_format_is_known_wherever_the_secret_stands(kind: str, secret: str, frame: str) -> None:
    for text in (frame.format(secret), json.dumps(frame.format(secret))):
        redacted = Redactor().text(text)
        assert f"[secret:{kind}:" in redacted
        assert secret not in redacted


@pytest.mark.parametrize(
    "start", ["shpat_", "dckr_pat_", "figd_", "ATATT3x", "r8_", "sntrys_", "sq0atp-", "1//0"]
)
def test_keys_of_many_others_are_known_by_how_they_begin(start: str) -> None:
    assert BODY[:20] not in Redactor().text(f"use {start}{BODY}!")


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_inside_a_longer_word_a_format_says_nothing(secret: str) -> None:
    if "." not in secret and "~" not in secret and "JQQJ99" not in secret:
        assert Redactor().text(f"QZ{secret}") == f"QZ{secret}"


@pytest.mark.parametrize("end", ["-----END RSA PRIVATE KEY-----", ""])
@pytest.mark.parametrize("newline", ["\n", "\\n"])
def test_a_private_key_is_masked_line_by_line_even_if_it_was_cut(end: str, newline: str) -> None:
    lines = ["-----BEGIN RSA PRIVATE KEY-----", BODY, BODY[::-1], end]
    redacted = Redactor().text(newline.join(lines))
    assert BODY[:16] not in redacted
    assert BODY[::-1][:16] not in redacted
