"""Golden tests: pytest functions that judge every sample of a case."""
