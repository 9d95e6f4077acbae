"""What stands on disk of a run: its plan, what had happened, and the samples."""
