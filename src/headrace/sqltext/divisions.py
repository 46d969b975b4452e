"""Divisions in a query: where they stand, and in which of its queries they can't be counted."""

from collections.abc import Iterator

from headrace.sqltext.tree import (
    Call,
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


def uncounted(query: Query) -> bool:
    """Whether a division stands where nobody knows for how many rows it is computed.

    That is in EXISTS, which ends at its first row, and in a query that reads the row around it.
    """
    return any(
        divides(part.query)
        for part in _all(query)
        if isinstance(part, Exists) or (isinstance(part, InQuery | Single) and correlated(part.query))
    )
