"""Where traces go and come from: the store, the collector and the live logs of a project."""
