from __future__ import annotations

import hashlib
import http.cookiejar
import inspect
import json.decoder
import secrets
import smtplib
import uuid
from types import ModuleType

import pytest

from linenotes.project import Redactor

ORDINARY = (
    "I forgot my password: please send me a link to reset it.",
    "The password must have 8 characters; a token: that is what the model counts.",
    "Password: required. Secret: none. API key: see https://example.com/docs/v2/keys",
    "max_tokens=4096, tokens: 12345678, token_count: 12345678, prompt_tokens=99999999",
    "sort(items, key=lambda item1: item1.name2), primary_key=user_id1, keyword=abc12345",
    "token = tokens[0]; api_key = os.environ['KEY_1']; password = getpass1('again?')",
    "password=${DB_PASSWORD} api_key=<your-key-1> token={{ token1 }} secret=***123",
    "basic authentication and the bearer of good news; Basic understanding of 2 things",
    "http://localhost:8080/@user and ws://127.0.0.1:5000/a@b and mailto:ann@example.org",
    "task-based risk-free desk-top-2 sk-learn hf_hub_download npm_config_cache SG. ",
    f"commit {'0123456789abcdef' * 2}01234567 sha256:{hashlib.sha256(b'a').hexdigest()}",
    f"id {uuid.UUID(int=2**127 + 5)} run--{uuid.UUID(int=2**126 + 7)}-0 tr-{'0a' * 16}",
    "call 0800 123 4567 or 31415926535897932384626433832795 on 2026-01-02T03:04:05.678901Z",
    "data:image/png;base64," + "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ" * 200,
    "eyJ is how JSON begins in base 64; -----BEGIN PRIVATE KEY----- begins a key file.",
    "cookie: what I like with tea; --token and --password are options",
    "postgresql://${USER}:${PASS}@db, {user}:{password}, redis://:$REDIS_PASS@host:6379/0",
    "http://u:%(password)s@h http://u:%s@h http://u:***@h http://u:%PASS%@h http://u:{0}@h",
    "password='${{ secrets.PASS }}' token='{{ token1 }}' password=$(pass1) password=$password",
    "password='<your pass 1>' api_key='...' secret='****1234' token=f'{head1}.{body1}' pwd=None))",
    "Authorization: Bearer authentication is what it takes; Authorization: Bearer YOUR_TOKEN",
    "The password is required, the secret is 'practice' and the token is abc; first_pass=abc123",
    "password='Enter your password here' api_key=your-api-key-here key1 api_key='YOUR_API_KEY_1'",
    "password='[MASK]' sk-learn-is-a-great-library mysql -P3306 and mkdir -p; find -print mysql",
    "curl -u $USER:$PASS x; curl -u ann: x; docker run -u 1000:1000 x",
    '{"type": "object", "properties": {"password": {"type": "string"}, "token": {}}}',
)


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_text_stays(text: str) -> None:
    assert Redactor().text(text) == text


@pytest.mark.parametrize("module", [smtplib, http.cookiejar, secrets, json.decoder])
def test_code_stays(module: ModuleType) -> None:
    code = inspect.getsource(module)
    assert Redactor().text(code) == code


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password=hunter2", "hunter2"),
        ("Password: Tr0ub4dor&3 and so on", "Tr0ub4dor"),
        ('password: str = "no digits here"', "no digits here"),
        (r'"{\"api_key\": \"no digits here\"}"', "no digits here"),
        ("login(user='ann', password='it is \"mine\"')", 'it is \\"mine\\"'),
        ("mysql --password hunter22 -h db", "hunter22"),
        ("X-Api-Key: 0123456789abcdef", "0123456789abcdef"),
        ("export ACME_DEPLOY_KEY=abcdef0123", "abcdef0123"),
        ("https://u:p@ss/w0rd@host/path", "p@ss/w0rd"),
        ("redis://:12345@cache", "12345"),
        ("https://a1b2c3d4e5f6a7b8c9d0@example.com/12", "a1b2c3d4e5f6a7b8c9d0"),
        ("https://x.blob.core.windows.net/c?sv=1&sig=a1b2c3d4e5f6%2Fg7h8%3D", "a1b2c3d4e5f6"),
        ("authorization: token a1b2c3d4e5f6", "a1b2c3d4e5f6"),
        ("Proxy-Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("set-cookie: sid=letters; HttpOnly", "letters"),
        ("İstanbul password=hunter2", "hunter2"),
        ("postgresql://app:%21Sup3r@db", "%21Sup3r"),
        ("redis://:$tr0ng@host", "$tr0ng"),
        ("amqp://app:{rabbit7@mq", "{rabbit7"),
        ("ftp://ann:*st4r@files", "*st4r"),
        ('{"password": "$ecr3t99"}', "$ecr3t99"),
        ('{"password": "<3 you all"}', "<3 you all"),
        ('password="%tage off"', "%tage off"),
        ("password='{curly'", "{curly"),
        ("password='xxxooo kisses'", "xxxooo kisses"),
        ("DB_PASSWORD=${DB_PASSWORD:-hunter2}", "hunter2"),
        ("Authorization: Bearer abcdefghijklmnopqrst", "abcdefghijklmnopqrst"),
        ("-H 'Authorization: Bearer onlyletters' -d x", "onlyletters"),
        (r'"{\"Authorization\": \"Bearer onlyletters\"}"', "onlyletters"),
        ("authorization: bearer 1234567890", "1234567890"),
        ("curl -u ann:hunter https://example.com", "hunter"),
        ("curl -s https://example.com --user 'ann:open sesame'", "open sesame"),
        ("curl -uann:hunter2 example.com", "hunter2"),
        ("mysql -uroot -phunter2 shop", "hunter2"),
        ("DB_PASS=hunter2 and pw: hunter22", "hunter2"),
        ("Hello! My password is: hunter2", "hunter2"),
        ("my password is hunter2, thanks", "hunter2"),
        ("?next=/a%3Fpassword%3Dhunter2", "hunter2"),
        ("password: correct-horse-battery", "correct-horse-battery"),
    ],
)
def test_what_stands_before_a_secret_gives_it_away(text: str, secret: str) -> None:
    redacted = Redactor().text(text)
    assert "[secret:" in redacted
    assert secret not in redacted
