"""Running jobs: what a run does, step by step, and what it reports."""
