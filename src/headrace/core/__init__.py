"""The use cases: plain functions that the edges call."""
