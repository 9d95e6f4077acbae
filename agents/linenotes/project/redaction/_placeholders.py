"""What stands where a secret stood: `[secret:KIND:HASH]`.

The hash is 16 bits of the secret's SHA-256: enough to see that two places hold the same secret,
too little to find a random key by. (Of something that can be guessed, such as a word, it confirms
a guess, as any hash does.)
"""

from __future__ import annotations

import hashlib
import re

PLACEHOLDER = re.compile(r"(\[(?:secret|personal):[a-z0-9-]+:[0-9a-f]{4}\])")
LONGEST_PLACEHOLDER = 100
_PERSONAL = frozenset({"email", "card"})


def placeholder(kind: str, secret: str) -> str:
    """Return what stands for `secret`: the same for the same."""
    label = "personal" if kind in _PERSONAL else "secret"
    digest = hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
    return f"[{label}:{kind}:{digest[:4]}]"
