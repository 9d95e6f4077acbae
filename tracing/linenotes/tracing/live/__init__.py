"""What a recording leaves on disk while it runs, so that a killed process can still be read."""
