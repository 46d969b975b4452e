"""Reads a text of SQL over declared sources: what it means, or all that is wrong with it."""

from collections.abc import Mapping
from functools import lru_cache

from sqlglot import exp

from headrace.plan.types import VOID, Field, Schema, fold
from headrace.sqltext.divisions import uncounted
from headrace.sqltext.faults import Place, SqlFault, SqlInvalid
from headrace.sqltext.reading import read
from headrace.sqltext.scopes import Named, Scope, Work, nearest
from headrace.sqltext.selects import SelectReader, limits, ordered, ordinal
from headrace.sqltext.tree import (
    Call,
    Checked,
    Expr,
    Key,
    Query,
    Ref,
    Select,
    Stacked,
    inside,
)
from headrace.sqltext.widening import Unfit, alike

Sources = tuple[tuple[str, Schema], ...]


@lru_cache(maxsize=64)
def check(text: str, sources: Sources) -> Checked:
    """What the text means over the sources, by alias. Raises SqlInvalid with all faults that were found."""
    work = Work(text, dict(sources))
    queries = Queries(work, {fold(alias): alias for alias, _ in sources})
    query = queries.query(read(text), {}, outer=None)
    query = queries.final(query)
    derivations = work.derivations(query)
    for alias, _ in sources:
        if alias not in work.read:
            work.warnings.append(f"the text does not read {alias!r}")
    if any(map(uncounted, (query, *(part for _, part in work.shared)))):
        work.warnings.append(
            "a division by zero in EXISTS, or in a query that reads the row around it, is null and not counted"
        )
    lineage = dict(zip(query.schema.names, derivations, strict=True))
    return Checked(query, tuple(work.shared), tuple(dict(sources)), lineage, tuple(work.warnings))


class Queries:
    """Reads queries."""

    def __init__(self, work: Work, aliases: Mapping[str, str]) -> None:
        self.work = work
        self.aliases = aliases
        self._known: Mapping[str, Named] = {}

    def final(self, query: Query) -> Query:
        """The outermost query: its columns have types and names of their own."""
        untyped = [f.name for f in query.schema if f.type == VOID]
        if untyped:
            told = f"column {untyped[0]!r} is always NULL and has no type"
            raise self._fault_at_start(told, "CAST(NULL AS STRING)")
        if query.order and query.limit is None:
            self.work.warnings.append("ORDER BY without LIMIT has no effect: the rows of a result have no order")
        if query.limit is not None and not query.order:
            self.work.warnings.append("LIMIT without ORDER BY: which rows these are is up to the engine")
        return query

    def _fault_at_start(self, message: str, hint: str) -> SqlInvalid:
        return SqlInvalid([SqlFault(message, Place(1, 1), hint)])

    def query(
        self, node: exp.Expr, known: Mapping[str, Named], *, outer: Scope | None, named: bool = True, top: bool = True
    ) -> Query:
        """A query of any form."""
        match node:
            case exp.Select():
                return SelectReader(self, node, self._with(node, known), outer, named=named).query()
            case exp.Union() if type(node) is exp.Union:
                return self._stacked(node, self._with(node, known), named=named)
            case exp.Subquery():
                return self._bracketed(node, known, outer, named=named)
            case _:
                shown = type(node).__name__.upper()
                hint = "a SELECT, with WITH, UNION and brackets" if top else ""
                raise self.work.fault(node, f"{shown} is no query that may run here", hint=hint)

    def _bracketed(self, node: exp.Subquery, known: Mapping[str, Named], outer: Scope | None, *, named: bool) -> Query:
        self.work.only(node, "this", "order", "limit", "offset", "with_")
        known = self._with(node, known)
        if any(node.args.get(part) for part in ("order", "limit", "offset")):
            raise self.work.fault(node, "ORDER BY or LIMIT behind brackets", hint="put them inside, or use WITH")
        return self.query(node.this, known, outer=outer, named=named)

    def inner(self, node: exp.Expr, scope: Scope, *, outer: bool, single: bool = False) -> Query:
        """A query inside an expression, which may read the columns of the query around it."""
        while isinstance(node, exp.Subquery):
            self.work.only(node, "this")
            node = node.this
        around = Scope(scope.relations) if outer else None
        if not isinstance(node, exp.Select):
            return self._apart(node, self._known, named=False)
        before = self._known
        try:
            reader = SelectReader(self, node, self._with(node, before), around, named=False)
            query = reader.query()
        finally:
            self._known = before
        if reader.scope.correlated:
            self._check_correlated(node, query, reader, single=single)
        return query

    def _check_correlated(self, node: exp.Expr, query: Select, reader: "SelectReader", *, single: bool) -> None:
        """Of the queries that read the one around them, those that Spark runs too."""
        if query.limit is not None or query.distinct:
            raise self.work.fault(node, "a query that reads the one around it takes no LIMIT and no DISTINCT")
        if not single:
            if query.grouping is not None:
                raise self.work.fault(node, "a tested query that reads the one around it takes no groups")
            return
        if query.grouping is None or query.grouping.keys:
            hint = "take max(…) or another aggregate of it"
            raise self.work.fault(node, "a value that depends on the outer row must be an aggregate", hint=hint)
        own = {relation.label for relation in reader.scope.relations}
        for test in _conjuncts(query.where):
            sides = test.args if isinstance(test, Call) else ()
            if _reads_outer(test, own) and not (
                isinstance(test, Call) and test.name == "=" and sum(_reads_outer(side, own) for side in sides) == 1
                and not any(_reads_outer(side, own) and _reads_own(side, own) for side in sides)
            ):  # fmt: skip
                raise self.work.fault(node, "a value that depends on the outer row compares with it by = alone")

    def _with(self, node: exp.Expr, known: Mapping[str, Named]) -> Mapping[str, Named]:
        """The names that a WITH adds. What queries inside expressions see is kept beside."""
        clause = node.args.get("with_")
        if clause is not None:
            self.work.only(clause, "expressions", hint="a query that reads itself can't run here")
            known = dict(known)
            for part in clause.expressions:
                self.work.only(part, "this", "alias")
                self.work.only(part.args["alias"], "this")
                name = part.args["alias"].name
                if fold(name) in known or fold(name) in self.aliases:
                    raise self.work.fault(part, f"{name!r} is already a source", hint="choose another name")
                query = self._apart(part.this, known)
                label = self.work.label(name, sign="q")
                self.work.shared.append((label, query))
                self.work.enter(label, query.schema, self.work.derivations(query))
                known[fold(name)] = Named(label, query.schema)
        self._known = known
        return known

    def _apart(self, node: exp.Expr, known: Mapping[str, Named], *, named: bool = True) -> Query:
        before = self._known
        try:
            return self.query(node, known, outer=None, named=named)
        finally:
            self._known = before

    def derived(self, node: exp.Expr, known: Mapping[str, Named]) -> Query:
        """A query in brackets in FROM."""
        return self._apart(node, known)

    def _stacked(self, node: exp.Union, known: Mapping[str, Named], *, named: bool) -> Query:
        self.work.only(node, "this", "expression", "distinct", "order", "limit", "offset", "with_")
        left = self._apart(node.this, known, named=named)
        right = self._apart(node.expression, known, named=False)
        if len(left.schema) != len(right.schema):
            counts = f"{len(left.schema)} and {len(right.schema)}"
            raise self.work.fault(node.expression, f"UNION stacks columns one by one, but there are {counts}")
        fields = []
        for ours, theirs in zip(left.schema, right.schema, strict=True):
            try:
                common, _ = alike((Ref("", ours.name, ours.type), Ref("", theirs.name, theirs.type)))
            except Unfit as error:
                raise self.work.fault(
                    node.expression, f"column {ours.name!r}: {error.message}", hint=error.hint, code="type-mismatch"
                ) from None
            fields.append(Field(ours.name, common))
        made = Stacked(left, right, bool(node.args.get("distinct")), Schema(tuple(fields)))
        return self._ordered_union(node, made)

    def _ordered_union(self, node: exp.Union, query: Stacked) -> Stacked:
        keys = []
        for part in ordered(self.work, node):
            name = ordinal(self.work, part.this, query.schema.names)
            if name is None and isinstance(part.this, exp.Column) and not part.this.args.get("table"):
                found = query.schema.find(part.this.name)
                name = found.name if found else None
            if name is None:
                raise self.work.fault(
                    part, "a UNION is ordered by its columns alone", hint=nearest("", query.schema.names)
                )
            keys.append(Key(name, None, bool(part.args.get("desc")), bool(part.args.get("nulls_first"))))
        limit, offset = limits(self.work, node)
        return Stacked(query.left, query.right, query.distinct, query.schema, tuple(keys), limit, offset)


def _conjuncts(test: Expr | None) -> tuple[Expr, ...]:
    if isinstance(test, Call) and test.name == "and":
        return tuple(part for arg in test.args for part in _conjuncts(arg))
    return (test,) if test is not None else ()


def _reads_outer(expr: Expr, own: set[str]) -> bool:
    return any(isinstance(part, Ref) and part.relation not in own for part in inside(expr))


def _reads_own(expr: Expr, own: set[str]) -> bool:
    return any(isinstance(part, Ref) and part.relation in own for part in inside(expr))
