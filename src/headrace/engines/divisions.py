"""Where a query divides: what of it has to be counted, and how often that is computed.

Counting goes along with the computing, so the rows for which an engine computes a value have to be known. In a join
they are not, unless a value over one side alone is a column of that side.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from headrace.sqltext.divisions import conjuncts, divided
from headrace.sqltext.tree import Call, Case, Expr, Joined, Ref, Relation, inside, mapped


@dataclass(frozen=True)
class Taken:
    """A value over one relation that becomes a column of it; where the tests do not hold nobody asks for it."""

    name: str
    expr: Expr
    tests: tuple[Expr, ...]


@dataclass
class Condition:
    """The condition of a join, apart: tests without a division, those with one, and what is a column of a side."""

    plain: list[Expr] = field(default_factory=list)
    rest: list[Expr] = field(default_factory=list)
    taken: dict[str, list[Taken]] = field(default_factory=dict)


def condition(relation: Joined, above: Mapping[str, Sequence[Taken]]) -> Condition:
    """The condition of a join; `above` is what the joins around it have taken, which is in the answer too."""
    found = Condition(taken={label: list(taken) for label, taken in above.items()})
    if relation.condition is None:
        return found
    tests = conjuncts(relation.condition)
    found.plain = [test for test in tests if not divided(test)]
    solid = {*_solid(relation.left), *_solid(relation.right)}
    guards = {label: tuple(test for test in found.plain if _read([test]) == {label}) for label in solid}

    def without(expr: Expr) -> Expr:
        if not divided(expr):
            return expr
        labels = _read([expr])
        if len(labels) == 1 and labels <= solid:
            (label,) = labels
            of_label = found.taken.setdefault(label, [])
            name = f"_headrace_divided_{len(of_label) + 1}"
            of_label.append(Taken(name, expr, guards[label]))
            return Ref(label, name, expr.type)
        choosing = isinstance(expr, Case) or (isinstance(expr, Call) and expr.name in ("and", "or", "coalesce"))
        return expr if choosing else mapped(expr, without)

    for test in tests:
        if divided(test):
            made = without(test)
            (found.rest if divided(made) else found.plain).append(made)
    return found


def _read(exprs: Iterable[Expr]) -> set[str]:
    return {part.relation for expr in exprs for part in inside(expr) if isinstance(part, Ref)}


def _solid(relation: Relation) -> Iterator[str]:
    """The relations whose rows arrive as they are: no join has made missing ones of them."""
    if not isinstance(relation, Joined):
        yield relation.label
        return
    if relation.kind not in ("RIGHT", "FULL"):
        yield from _solid(relation.left)
    if relation.kind in ("INNER", "CROSS", "RIGHT"):
        yield from _solid(relation.right)
