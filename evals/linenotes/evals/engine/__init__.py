"""How the samples of a run are executed, many at a time, and what they may spend."""
