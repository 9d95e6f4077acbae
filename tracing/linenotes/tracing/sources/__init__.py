"""Conversations that nobody recorded live: they are rebuilt from what other systems kept."""
