"""Which keys a plan encrypts with, and what its scripts say of them: the names alone."""

from collections.abc import Sequence

from headrace.engines.dialects import SparkDialect
from headrace.plan.expr import keys
from headrace.plan.ops import Op, Project, in_order


def used(sinks: Sequence[Op]) -> dict[str, Op]:
    """The name of each key, with the first operation that encrypts with it."""
    found: dict[str, Op] = {}
    for op in in_order(sinks):
        if isinstance(op, Project):
            for name in (key for each in op.columns for key in keys(each.expr)):
                found.setdefault(name, op)
    return found


def said_by_duckdb(sinks: Sequence[Op]) -> list[str]:
    """Lines above the script that people read: the function is none of the engine's own."""
    if not used(sinks):
        return []
    told = "-- encrypted(text, name) is AES-256-GCM with the key of that name, which Headrace has from its settings;"
    return [told, "-- it gives Base64 of nonce, ciphertext and tag.", ""]


def said_by_spark(sinks: Sequence[Op]) -> list[str]:
    """Lines above the script: a key is a variable of the session, without which the script does not run."""
    return [
        f"-- The key '{name}' is not part of this script. Before it: "
        f"DECLARE VARIABLE {SparkDialect.variable(name)} BINARY DEFAULT unbase64('...');"
        for name in used(sinks)
    ]
