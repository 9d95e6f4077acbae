"""Conversations that were held elsewhere, as runs."""
