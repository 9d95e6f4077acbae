"""Judges held against what people say, and against themselves."""
