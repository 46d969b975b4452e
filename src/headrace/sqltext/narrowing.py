"""What of a query its readers need: which columns of the sources, and the query without the rest.

A column of a query inside is needed when a needed column reads it, or when it decides which rows there are: tests,
groups, the keys of an order that a LIMIT cuts, and all columns where rows are compared.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from headrace.plan.types import Schema, fold
from headrace.sqltext.tree import (
    Checked,
    Column,
    Derived,
    Exists,
    Expr,
    Grouping,
    InQuery,
    Joined,
    Key,
    Query,
    Ref,
    Relation,
    Select,
    Shared,
    Single,
    Source,
    Stacked,
    inside,
    mapped,
)

Label = str | int
Part = tuple[Label, str]
"""A column: the label of its relation, or a number for a query that has none, and its folded name."""


class Needs:
    """What each column of a text is made of, down to the columns of the sources."""

    def __init__(self, checked: Checked) -> None:
        self._result = id(checked.query)
        self._made: dict[Part, list[Part]] = {}
        self._aliases: dict[str | int, str] = {}
        self._rows: dict[int, list[Part]] = {}
        self._shared = dict(checked.shared)
        self.always = self._reached(self._query(checked.query, self._result))
        """What decides which rows there are."""

    def of(self, names: Iterable[str]) -> set[Part]:
        """All that these columns of the result need, beside what is always needed."""
        return self._reached((self._result, fold(name)) for name in names)

    def reads(self, query: Query) -> bool:
        """Whether the text reads a query of its WITH clauses."""
        return id(query) in self._rows

    def sources(self, parts: Iterable[Part]) -> tuple[tuple[str, str], ...]:
        """Of these parts the columns of sources, as alias and folded name, sorted."""
        return tuple(sorted({(alias, name) for label, name in parts if (alias := self._aliases.get(label))}))

    def _reached(self, parts: Iterable[Part]) -> set[Part]:
        """The parts and all that they are made of."""
        found: set[Part] = set()
        waiting = list(parts)
        while waiting:
            part = waiting.pop()
            if part not in found:
                found.add(part)
                waiting += self._made.get(part, ())
        return found

    def _query(self, query: Query, key: Label) -> list[Part]:
        """Take in a query; gives what decides its rows."""
        if id(query) not in self._rows:
            rows = self._select(query, key) if isinstance(query, Select) else self._stacked(query, key)
            if query.limit is not None or query.offset is not None:
                rows += [(key, fold(k.name)) for k in query.order if k.hidden is None]
            if query.distinct:
                rows += [(key, fold(name)) for name in query.schema.names]
            self._rows[id(query)] = rows
        return self._rows[id(query)]

    def _stacked(self, query: Stacked, key: Label) -> list[Part]:
        rows: list[Part] = []
        for side in (query.left, query.right):
            rows += self._query(side, id(side))
            for name, own in zip(query.schema.names, side.schema.names, strict=True):
                self._made.setdefault((key, fold(name)), []).append((id(side), fold(own)))
        return rows

    def _select(self, query: Select, key: Label) -> list[Part]:
        rows = self._relation(query.source) if query.source is not None else []
        if query.grouping is not None:
            for column in query.grouping.aggregates:
                self._made[query.grouping.label, fold(column.name)] = self._read(column.expr)
            for column in query.grouping.keys:
                self._made[query.grouping.label, fold(column.name)] = self._read(column.expr)
        for column in query.columns:
            self._made[key, fold(column.name)] = self._read(column.expr)
        return rows + [part for expr in _deciding(query) for part in self._read(expr)]

    def _relation(self, relation: Relation) -> list[Part]:
        match relation:
            case Source(label, alias):
                self._aliases[label] = alias
                return []
            case Shared(label, name):
                query = self._shared[name]
                for column in query.schema.names:
                    self._made[label, fold(column)] = [(name, fold(column))]
                return list(self._query(query, name))
            case Derived(label, query):
                return list(self._query(query, label))
            case Joined(left, right, _, condition):
                on = self._read(condition) if condition is not None else []
                return [*self._relation(left), *self._relation(right), *on]

    def _read(self, expr: Expr) -> list[Part]:
        found: list[Part] = []
        for part in inside(expr):
            match part:
                case Ref(relation, name):
                    found.append((relation, fold(name)))
                case InQuery() | Single() | Exists():
                    found += self._query(part.query, id(part.query))
                    if not isinstance(part, Exists):
                        found += [(id(part.query), fold(name)) for name in part.query.schema.names]
                case _:
                    pass
        return found


def _deciding(query: Select) -> Iterator[Expr]:
    """The expressions of a SELECT that decide which rows it has."""
    if query.where is not None:
        yield query.where
    if query.having is not None:
        yield query.having
    if query.grouping is not None:
        yield from (column.expr for column in query.grouping.keys)
    if query.limit is not None or query.offset is not None:
        yield from (key.hidden for key in query.order if key.hidden is not None)


def uses(checked: Checked) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[tuple[str, str], ...]]]:
    """What the rows need, by alias; and what each column of the result needs beside it, as alias and column."""
    needs = Needs(checked)
    rows = set(needs.sources(needs.always))
    always = {alias: tuple(name for own, name in sorted(rows) if own == alias) for alias in checked.sources}
    columns = {name: needs.sources(needs.of([name])) for name in checked.schema.names}
    return always, {name: tuple(of for of in found if of not in rows) for name, found in columns.items()}


def narrowed(checked: Checked, names: Iterable[str]) -> Checked:
    """The text with these columns of its result alone, and without all that nothing else of it needs."""
    needs = Needs(checked)
    narrow = _Narrow(needs.always | needs.of(names))
    query = _picked(narrow.query(checked.query, id(checked.query)), checked.schema.only(names))
    shared = tuple((label, narrow.query(q, label)) for label, q in checked.shared if needs.reads(q))
    return replace(checked, query=query, shared=shared)


@dataclass(frozen=True)
class _Narrow:
    """Leaves out what is not among the needed parts."""

    needed: set[Part]

    def query(self, query: Query, key: Label) -> Query:
        kept = Schema(tuple(f for f in query.schema if (key, fold(f.name)) in self.needed))
        if not isinstance(query, Select):
            places = [n for n, f in enumerate(query.schema) if (key, fold(f.name)) in self.needed]
            left, right = (self._side(side, places) for side in (query.left, query.right))
            return replace(query, left=left, right=right, schema=kept, order=_order(query))
        return replace(
            query,
            source=None if query.source is None else self.relation(query.source),
            where=None if query.where is None else self.expr(query.where),
            grouping=None if query.grouping is None else self.grouping(query.grouping),
            having=None if query.having is None else self.expr(query.having),
            columns=tuple(replace(c, expr=self.expr(c.expr)) for c in query.columns if kept.find(c.name) is not None),
            schema=kept,
            order=_order(query),
        )

    def _side(self, side: Query, places: Sequence[int]) -> Query:
        """A side of a UNION, whose columns are told by their place."""
        return _picked(self.query(side, id(side)), Schema(tuple(side.schema.fields[n] for n in places)))

    def relation(self, relation: Relation) -> Relation:
        match relation:
            case Source() | Shared():
                return relation
            case Derived(label, query):
                return replace(relation, query=self.query(query, label))
            case Joined(left, right, _, condition):
                on = None if condition is None else self.expr(condition)
                return replace(relation, left=self.relation(left), right=self.relation(right), condition=on)

    def grouping(self, grouping: Grouping) -> Grouping:
        keys = tuple(replace(c, expr=self.expr(c.expr)) for c in grouping.keys)
        kept = [c for c in grouping.aggregates if (grouping.label, fold(c.name)) in self.needed]
        return replace(grouping, keys=keys, aggregates=tuple(replace(c, expr=self.expr(c.expr)) for c in kept))

    def expr(self, expr: Expr) -> Expr:
        if isinstance(expr, InQuery | Single | Exists):
            expr = replace(expr, query=self.query(expr.query, id(expr.query)))
        return mapped(expr, self.expr)


def _picked(query: Query, wanted: Schema) -> Query:
    """The query with just these columns: it may need more for itself."""
    if query.schema == wanted:
        return query
    columns = tuple(Column(f.name, Ref("rows", f.name, f.type)) for f in wanted)
    return Select(Derived("rows", query), None, None, None, columns, distinct=False, schema=wanted)


def _order(query: Query) -> tuple[Key, ...]:
    """An order that cuts nothing has no effect."""
    return query.order if query.limit is not None or query.offset is not None else ()
