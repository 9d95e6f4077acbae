"""Conversations that were held elsewhere, and results that were measured elsewhere, as runs."""
