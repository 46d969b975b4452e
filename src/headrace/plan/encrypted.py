"""Whether the values of a column are encrypted ones, which are never equal: as far as plain columns lead back."""

from headrace.plan.expr import Cast, Column, Encrypted, Expr
from headrace.plan.ops import Aggregate, OneParent, Op, Project
from headrace.plan.types import fold


def is_encrypted(op: Op, name: str) -> bool:
    """Whether the column of that name was encrypted on its way to this operation."""
    if isinstance(op, Project):
        found = next((c.expr for c in op.columns if fold(c.name) == fold(name)), None)
        return found is not None and _is_encrypted(op.parent, found)
    return isinstance(op, OneParent) and not isinstance(op, Aggregate) and is_encrypted(op.parent, name)


def _is_encrypted(parent: Op, expr: Expr) -> bool:
    match expr:
        case Encrypted():
            return True
        case Column(name):
            return is_encrypted(parent, name)
        case Cast(operand):
            return _is_encrypted(parent, operand)
        case _:
            return False
