"""Samples executed by other processes: what is said to them, and what becomes of it."""
