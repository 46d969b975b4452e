"""How a plan runs. An engine knows plans, stores and a place to report to; it knows nothing of nodes or graphs."""
