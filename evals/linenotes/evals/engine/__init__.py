"""How the samples of a run are executed, scored and published, many at a time."""
