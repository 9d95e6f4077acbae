"""`python -m linenotes.cli` is the command `linenotes`."""

from linenotes.cli._main import main

if __name__ == "__main__":
    main()
