"""How methods of other libraries' classes are wrapped: of all that are there, and of later ones.

LangChain has no hook between a caller and a stranger's class of a model or a tool, so the classes
themselves are the only place that every call goes through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]
_WRAPPED = "linenotes_wrapped"


def wrap_methods(base: type, wraps: Mapping[str, Wrap]) -> None:
    """Wrap the named methods of every subclass of `base`, now and whenever one is made.

    `base` itself stays as it is: its own methods tell LangChain that a class has none.
    """
    waiting: list[type] = list(base.__subclasses__())
    while waiting:
        found = waiting.pop()
        _wrap(found, wraps)
        waiting += found.__subclasses__()
    _watch_subclasses(base, wraps)


def _wrap(found: type, wraps: Mapping[str, Wrap]) -> None:
    for name, wrap in wraps.items():
        method = found.__dict__.get(name)
        if callable(method) and not hasattr(method, _WRAPPED):
            wrapped = wrap(method)
            setattr(wrapped, _WRAPPED, True)
            setattr(found, name, wrapped)


def _watch_subclasses(base: Any, wraps: Mapping[str, Wrap]) -> None:  # noqa: ANN401  a class that gets a hook
    own = base.__dict__.get("__init_subclass__")

    def made(cls: type, /, **options: object) -> None:
        if own is not None:
            own.__func__(cls, **options)
        else:
            super(base, cls).__init_subclass__(**options)
        _wrap(cls, wraps)

    base.__init_subclass__ = classmethod(made)
