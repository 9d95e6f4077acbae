"""What must hold before a version is released, and whether it does."""
