"""Two runs side by side: what changed in the versions, and what that changed in the scores."""
