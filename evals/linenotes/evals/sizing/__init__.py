"""How large a suite must be: from a pilot to cases, samples, cost and time."""
