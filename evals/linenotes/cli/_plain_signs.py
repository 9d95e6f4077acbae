"""What stands for our signs on a terminal that cannot show them: one plain character each.

So columns stay aligned, and a strip of samples can still be read. Anything else is a `?`.
"""

from __future__ import annotations

import codecs

_NAME = "linenotes-plain-signs"
_SIGNS = "✓✗·≠←→↑↓…–—‖│├└─►▲▼"
_PLAIN = str.maketrans(_SIGNS, "+x.!<>^v~--|||`->^v")


def plain_signs() -> str:
    """Return the name under which streams find this, as what to do about their errors."""
    codecs.register_error(_NAME, _replaced)
    return _NAME


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end].translate(_PLAIN)
    return "".join(sign if sign.isascii() else "?" for sign in signs), error.end
