"""How endpoints are called: as many requests at a time as they bear, and again where that helps."""
