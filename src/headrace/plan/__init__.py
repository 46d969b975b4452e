"""What a job means: pure values that know nothing of engines, stores, wires or time."""
