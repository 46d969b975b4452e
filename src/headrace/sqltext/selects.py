"""One SELECT: its clauses, in the order in which they mean something."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from sqlglot import exp

from headrace.plan.types import VOID, Field, Schema, fold, repeated
from headrace.sqltext.expressions import Clause, Expressions
from headrace.sqltext.faults import SqlFault, SqlInvalid
from headrace.sqltext.grouping import Grouper, aggregated
from headrace.sqltext.relations import Relations
from headrace.sqltext.scopes import Named, Scope, Work, expand
from headrace.sqltext.tree import Column, Expr, Key, Over, Select, inside
from headrace.sqltext.widening import plain

if TYPE_CHECKING:
    from headrace.sqltext.check import Queries

T = TypeVar("T")
_SELECT = (
    "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct", "with_",
)  # fmt: skip
_WHERE = Clause("WHERE", tests_of_queries=True, outer=True)
_COLUMNS = Clause("SELECT", aggregates=True, windows=True)
_GROUPS = Clause("GROUP BY")
_HAVING = Clause("HAVING", aggregates=True, tests_of_queries=True)
_ORDER = Clause("ORDER BY", aggregates=True)
_MOST_ROWS = 2**31 - 1


class SelectReader:
    """Reads one SELECT."""

    def __init__(
        self, queries: "Queries", node: exp.Select, known: Mapping[str, Named], outer: Scope | None, *, named: bool
    ) -> None:
        self.queries = queries
        self.work = queries.work
        self.node = node
        self.known = known
        self.named = named
        self.scope = Scope(outer=outer)
        self.faults: list[SqlFault] = []

    def query(self) -> Select:
        """The query. Raises SqlInvalid with the faults of all its clauses."""
        self.work.only(self.node, *_SELECT)
        if not self.node.expressions:
            raise self.work.fault(self.node, "a SELECT without columns", hint="SELECT column, … FROM …")
        source = Relations(self.work, self.queries, self.known, self.scope).source(self.node)
        where = self._collected(lambda: self._where())
        columns = self._columns()
        keys = self._keys(columns or [])
        having = self._collected(lambda: self._having(columns or []))
        if self.faults:
            raise SqlInvalid(self.faults)
        assert columns is not None
        grouper = Grouper(self.work, self.node, keys)
        grouped = bool(keys) or any(aggregated(c.expr) for c, _ in columns) or having is not None
        if having is not None and not keys and not any(aggregated(e) for e in (having, *(c.expr for c, _ in columns))):
            raise self.work.fault(self.node.args["having"], "HAVING without groups", hint="use WHERE")
        order = self._order(columns)
        if grouped:
            columns = [(Column(c.name, grouper.over_groups(c.expr, node)), node) for c, node in columns]
            having = grouper.over_groups(having, self.node.args["having"]) if having is not None else None
        made = tuple(c for c, _ in columns)
        sorted_by = tuple(self._key(k, n, grouper if grouped else None) for k, n in order)
        limit, offset = limits(self.work, self.node)
        schema = Schema(tuple(Field(c.name, c.expr.type) for c in made))
        distinct = self._distinct()
        return Select(source, where, grouper.grouping() if grouped else None, having, made, distinct, schema,
                      sorted_by, limit, offset)  # fmt: skip

    def _reader(self, clause: Clause) -> Expressions:
        return Expressions(self.work, self.scope, clause, self.queries)

    def _collected(self, do: Callable[[], T]) -> T | None:
        try:
            return do()
        except SqlInvalid as error:
            self.faults.extend(error.faults)
            return None

    def _where(self) -> Expr | None:
        clause = self.node.args.get("where")
        return self._reader(_WHERE).test(clause.this) if clause is not None else None

    def _distinct(self) -> bool:
        clause = self.node.args.get("distinct")
        if clause is None:
            return False
        if isinstance(clause, exp.Expr):
            self.work.only(clause)
        return True

    def _columns(self) -> list[tuple[Column, exp.Expr]] | None:
        found: list[tuple[Column, exp.Expr]] = []
        reader = self._reader(_COLUMNS)
        for number, node in enumerate(self.node.expressions, start=1):
            made = self._collected(lambda node=node, number=number: self._column(reader, node, number))  # type: ignore[misc]  # called at once
            found += [(column, node) for column in made or ()]
        for name in repeated(c.name for c, _ in found):
            node = next(n for c, n in reversed(found) if fold(c.name) == fold(name))
            hint = "give one of them another name with AS"
            self.faults += self.work.fault(
                node, f"two columns are named {name!r}", hint=hint, code="repeated-column"
            ).faults
        if self.faults:
            return None
        return found

    def _column(self, reader: Expressions, node: exp.Expr, number: int) -> list[Column]:
        star = node if isinstance(node, exp.Star) else node.this if isinstance(node, exp.Column) else None
        if isinstance(star, exp.Star):
            self.work.only(star)
            self.work.only(node, "this", "table")
            table = node.args["table"].name if node.args.get("table") else None
            return [Column(name, ref) for name, ref in expand(self.work, self.scope, node, table)]
        if isinstance(node, exp.Alias):
            self.work.only(node, "this", "alias")
            if not isinstance(node.args["alias"], exp.Identifier) or not node.alias:
                raise self.work.fault(node, "an alias is a name")
            return [Column(node.alias, reader.of(node.this))]
        made = reader.of(node)
        if isinstance(node, exp.Column):
            return [Column(node.this.name, made)]
        if self.named:
            raise self.work.fault(
                node, "this column has no name", self.node, hint="give it one: … AS name", code="no-name"
            )
        return [Column(f"column_{number}", made)]

    def _keys(self, columns: Sequence[tuple[Column, exp.Expr]]) -> list[Expr]:
        group = self.node.args.get("group")
        if group is None:
            return []
        self.work.only(group, "expressions", hint="GROUP BY column, …")
        reader, keys = self._reader(_GROUPS), []
        for node in group.expressions:
            key = self._collected(lambda node=node: self._group(reader, node, columns))  # type: ignore[misc]  # called at once
            if key is not None and key not in keys:
                keys.append(key)
        return keys

    def _group(self, reader: Expressions, node: exp.Expr, columns: Sequence[tuple[Column, exp.Expr]]) -> Expr:
        names = [column.name for column, _ in columns]
        name = ordinal(self.work, node, names)
        plain_name = isinstance(node, exp.Column) and not node.args.get("table") and not isinstance(node.this, exp.Star)
        if name is None and plain_name and not self.scope.find(None, node.this.name):
            name = next((n for n in names if fold(n) == fold(node.this.name)), None)
        if name is None:
            made = reader.of(node)
        else:
            made = next(column.expr for column, _ in columns if column.name == name)
            if aggregated(made) or any(isinstance(part, Over) for part in inside(made)):
                raise self.work.fault(node, f"{name!r} is computed from groups, so it can't make them", self.node)
        if plain(made.type) == VOID:
            raise self.work.fault(node, "NULL makes no groups", self.node)
        return made

    def _having(self, columns: Sequence[tuple[Column, exp.Expr]]) -> Expr | None:
        clause = self.node.args.get("having")
        if clause is None:
            return None
        return self._reader(_HAVING).test(_with_aliases(self.work, self.scope, clause.this, columns))

    def _order(self, columns: Sequence[tuple[Column, exp.Expr]]) -> list[tuple[Key, exp.Expr]]:
        """The keys: columns of the result by name, number or expression; others as hidden columns."""
        names = [column.name for column, _ in columns]
        keys = []
        for node in ordered(self.work, self.node):
            down, first = bool(node.args.get("desc")), bool(node.args.get("nulls_first"))
            name, made = ordinal(self.work, node.this, names), None
            if name is None and isinstance(node.this, exp.Column) and not node.this.args.get("table"):
                name = next((n for n in names if fold(n) == fold(node.this.name)), None)
            if name is None:
                made = self._reader(_ORDER).of(node.this)
                name = next((c.name for c, _ in columns if c.expr == made), None)
            keys.append((Key(name or "", None if name else made, down, first), node))
        return keys

    def _key(self, key: Key, node: exp.Expr, grouper: Grouper | None) -> Key:
        if key.hidden is None:
            return key
        if self._distinct():
            raise self.work.fault(node, "a DISTINCT query is ordered by its columns alone", self.node)
        made = grouper.over_groups(key.hidden, node) if grouper else key.hidden
        return Key("", made, key.descending, key.nulls_first)


def ordered(work: Work, node: exp.Expr) -> list[exp.Expr]:
    """The keys of an ORDER BY."""
    clause = node.args.get("order")
    if clause is None:
        return []
    work.only(clause, "expressions")
    for key in clause.expressions:
        work.only(key, "this", "desc", "nulls_first")
    return list(clause.expressions)


def limits(work: Work, node: exp.Expr) -> tuple[int | None, int | None]:
    """LIMIT and OFFSET: whole numbers that are written out."""
    found: list[int | None] = []
    for part in ("limit", "offset"):
        clause = node.args.get(part)
        if clause is None:
            found.append(None)
            continue
        work.only(clause, "expression")
        value = clause.expression
        if not isinstance(value, exp.Literal) or value.is_string or not str(value.this).isdecimal():
            raise work.fault(clause, f"{part.upper()} is a whole number that is written out", node)
        if int(value.this) > _MOST_ROWS:
            raise work.fault(clause, f"{part.upper()} is at most {_MOST_ROWS:,}", node)
        found.append(int(value.this))
    return found[0], found[1]


def ordinal(work: Work, node: exp.Expr, names: Sequence[str]) -> str | None:
    """The column that a whole number stands for, in GROUP BY and ORDER BY."""
    if not isinstance(node, exp.Literal) or node.is_string:
        return None
    if not str(node.this).isdecimal() or not 1 <= int(node.this) <= len(names):
        raise work.fault(node, f"{node.this} is the number of no column", hint=f"1 to {len(names)}")
    return names[int(node.this) - 1]


def _with_aliases(work: Work, scope: Scope, node: exp.Expr, columns: Sequence[tuple[Column, exp.Expr]]) -> exp.Expr:
    """A HAVING in which the names of result columns are replaced by what they stand for."""
    by_name = {fold(column.name): found.this for column, found in columns if isinstance(found, exp.Alias)}

    def replaced(part: exp.Expr) -> exp.Expr:
        if not isinstance(part, exp.Column) or part.args.get("table") or isinstance(part.this, exp.Star):
            return part
        meant = by_name.get(fold(part.this.name))
        if meant is None:
            return part
        if scope.find(None, part.this.name):
            if isinstance(meant, exp.Column) and fold(meant.this.name) == fold(part.this.name):
                return part
            hint = "give the result column another name"
            raise work.fault(part, f"{part.this.name!r} is a column and a result", hint=hint, code="ambiguous-column")
        return exp.Paren(this=meant.copy())

    return node.copy().transform(replaced, copy=False)
