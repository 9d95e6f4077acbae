"""What must not be stored: how it is recognised, and what stands in its place."""
