from headrace.execution.figures import Figures


def told(figures: Figures, name: str, **labels: str) -> float | None:
    return figures.registry.get_sample_value(name, labels)


def test_every_series_is_there_before_anything_has_happened() -> None:
    figures = Figures()
    for status in ("COMPLETED", "FAILED", "CANCELED"):
        assert told(figures, "headrace_executions_ended_total", status=status) == 0
    for outcome in ("COMPLETED", "FAILED", "CANCELED", "LOST", "PUT_BACK"):
        assert told(figures, "headrace_attempt_seconds_count", outcome=outcome) == 0
    assert told(figures, "headrace_leases_lost_total") == 0


def test_an_execution_is_counted_when_it_has_ended_and_not_when_it_is_tried_again() -> None:
    figures = Figures()
    figures.claimed(waited=-1.0)
    figures.attempted("FAILED", seconds=2.0)
    figures.left("READY")
    figures.left(None)
    figures.attempted("COMPLETED", seconds=3.0)
    figures.left("COMPLETED")
    figures.lost("READY")
    figures.lost("FAILED")
    assert told(figures, "headrace_executions_ended_total", status="COMPLETED") == 1
    assert told(figures, "headrace_executions_ended_total", status="FAILED") == 1
    assert told(figures, "headrace_attempt_seconds_sum", outcome="COMPLETED") == 3.0
    assert told(figures, "headrace_queue_wait_seconds_sum") == 0.0
    assert told(figures, "headrace_leases_lost_total") == 2
