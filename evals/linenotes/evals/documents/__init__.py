"""The JSON contract: what the commands print with `--json`, one model a document."""
