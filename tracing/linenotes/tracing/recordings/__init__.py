"""Model and tool calls that were made once and can be replayed: how they are kept and found."""
