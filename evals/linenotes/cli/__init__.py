"""The command line: one thin module a verb, each over a function of the packages below."""

from linenotes.cli._main import main

__all__ = ["main"]
