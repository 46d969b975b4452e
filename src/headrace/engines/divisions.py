"""Where a query divides: what of it has to be counted, and how often that is computed.

Counting goes along with the computing, so the rows for which an engine computes a value have to be known. In a join
they are not, unless a value over one side alone is a column of that side.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from headrace.sqltext.tree import (
    Call,
    Case,
    Const,
    Convert,
    Derived,
    Exists,
    Expr,
    InQuery,
    Joined,
    Query,
    Ref,
    Relation,
    Select,
    Single,
    inside,
    mapped,
)

DIVISIONS = ("/", "%")


def is_division(expr: Expr) -> bool:
    """Whether it is a division that may be by zero: a divisor that is written out is not zero, or always is."""
    if not isinstance(expr, Call) or expr.name not in DIVISIONS:
        return False
    divisor = expr.args[1]
    while isinstance(divisor, Convert):
        divisor = divisor.operand
    return not (isinstance(divisor, Const) and divisor.value is not None and divisor.value != 0)


def divided(expr: Expr) -> bool:
    """Whether a division stands in the expression; queries in it count for themselves."""
    return any(map(is_division, inside(expr)))


def has_query(expr: Expr) -> bool:
    """Whether a query stands in the expression."""
    return any(isinstance(part, InQuery | Exists | Single) for part in inside(expr))


def conjuncts(test: Expr) -> tuple[Expr, ...]:
    """The tests of which all have to hold."""
    if isinstance(test, Call) and test.name == "and":
        return tuple(part for arg in test.args for part in conjuncts(arg))
    return (test,)


def divides(query: Query) -> bool:
    """Whether a division stands anywhere in a query."""
    return any(map(is_division, _all(query)))


def correlated(query: Query) -> bool:
    """Whether a query reads the one around it."""
    own = set(_labels(query))
    return any(isinstance(part, Ref) and part.relation not in own for part in _all(query))


def _all(query: Query) -> Iterator[Expr]:
    """Every expression in a query, those of the queries in it too."""
    for inner in _queries(query):
        if isinstance(inner, Select):
            for expr in _own(inner):
                yield from inside(expr)


def _queries(query: Query) -> Iterator[Query]:
    """The query and all in it."""
    yield query
    below: list[Query] = []
    if isinstance(query, Select):
        below += [part.query for part in _relations(query.source) if isinstance(part, Derived)]
        below += [part.query for e in _own(query) for part in inside(e) if isinstance(part, InQuery | Exists | Single)]
    else:
        below += [query.left, query.right]
    for inner in below:
        yield from _queries(inner)


def _own(query: Select) -> Iterator[Expr]:
    yield from (column.expr for column in query.columns)
    yield from (key.hidden for key in query.order if key.hidden is not None)
    yield from (test for test in (query.where, query.having) if test is not None)
    yield from (r.condition for r in _relations(query.source) if isinstance(r, Joined) and r.condition is not None)
    if query.grouping is not None:
        yield from (column.expr for column in (*query.grouping.keys, *query.grouping.aggregates))


def _relations(relation: Relation | None) -> Iterator[Relation]:
    if relation is not None:
        yield relation
    if isinstance(relation, Joined):
        yield from _relations(relation.left)
        yield from _relations(relation.right)


def _labels(query: Query) -> Iterator[str]:
    for inner in _queries(query):
        if isinstance(inner, Select):
            yield from (r.label for r in _relations(inner.source) if not isinstance(r, Joined))
            if inner.grouping is not None:
                yield inner.grouping.label


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
