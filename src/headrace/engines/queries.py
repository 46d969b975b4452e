"""The query of an SQL node as SQL, in either dialect: written from what was understood, never from the user's text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from headrace.engines import divisions, functions
from headrace.engines.dialects import ROW, SqlDialect, literal
from headrace.engines.divisions import Taken
from headrace.plan.casts import kind, never_fails
from headrace.plan.types import (
    DATE,
    INT,
    MAX_PRECISION,
    STRING,
    TIMESTAMP,
    TIMESTAMP_TZ,
    Characters,
    Decimal,
    Type,
)
from headrace.sqltext.divisions import conjuncts, correlated, divided, divides, has_query, is_division
from headrace.sqltext.tree import (
    Aggregate,
    Call,
    Case,
    Checked,
    Column,
    Const,
    Convert,
    Derived,
    Exists,
    Expr,
    InQuery,
    Joined,
    Key,
    Over,
    Query,
    Ref,
    Relation,
    Select,
    Shared,
    Single,
    Source,
    Stacked,
    inside,
    operands,
)

_RANKING = ("row_number", "rank", "dense_rank")


@dataclass(frozen=True)
class Writer:
    """Writes the query of one node.

    `relations` names the relation behind each alias; `node_id` stands in the messages of failures. `now` is the start
    of the run; without it the engine's own clock stands in the text. `counter` gives the name of a new counter for a
    column, on an engine that counts.
    """

    dialect: SqlDialect
    relations: Mapping[str, str]
    node_id: int
    now: datetime | None
    counter: Callable[[str], str] | None

    def text(self, checked: Checked) -> str:
        """The whole query."""
        shared = [
            f"{self._name(label)} AS {self._once(query)}(\n{self._inner(query)}\n)" for label, query in checked.shared
        ]
        head = "WITH " + ",\n".join(shared) + "\n" if shared else ""
        return head + self.query(checked.query)

    def _name(self, name: str) -> str:
        return self.dialect.quoted(name)

    def _once(self, query: Query) -> str:
        """What counts is computed once, however often it is read."""
        return "MATERIALIZED " if self._counts(query) else ""

    def _inner(self, query: Query) -> str:
        """A query in FROM: what counts does so over all its rows, whatever tests follow."""
        ends = query.limit is not None or query.offset is not None
        return self.query(query) + ("\nOFFSET 0" if self._counts(query) and not ends else "")

    def _counts(self, query: Query) -> bool:
        return self.counter is not None and divides(query)

    def query(self, query: Query) -> str:
        """A query with its order and its limit."""
        hidden = {f"sorted_by_{n}": k for n, k in enumerate(query.order, start=1) if k.hidden is not None}
        rows = self._select(query, hidden) if isinstance(query, Select) else self._stacked(query)
        if query.limit is None and query.offset is None:
            return rows if not hidden else self._select(query, {}) if isinstance(query, Select) else rows
        names = ", ".join(map(self._name, query.schema.names)) or self._row
        order = [self._key(key, f"sorted_by_{n}") for n, key in enumerate(query.order, start=1)]
        parts = [f"SELECT {names}\nFROM (\n{rows}\n) AS ordered"]
        parts += [f"ORDER BY {', '.join(order)}"] if order else []
        parts += [f"LIMIT {query.limit}"] if query.limit is not None else []
        parts += [f"OFFSET {query.offset}"] if query.offset is not None else []
        return "\n".join(parts)

    def _key(self, key: Key, hidden: str) -> str:
        name = self._name(key.name if key.hidden is None else hidden)
        return name + _direction(key.descending, key.nulls_first)

    def _select(self, query: Select, hidden: Mapping[str, Key]) -> str:
        columns = [*query.columns, *(Column(name, key.hidden) for name, key in hidden.items() if key.hidden)]
        shown = ", ".join(f"{self._counted(c.expr, c.name)} AS {self._name(c.name)}" for c in columns) or self._row
        head = f"SELECT {'DISTINCT ' if query.distinct else ''}{shown}"
        if query.grouping is None:
            return head + self._from(query)
        having = f"\nWHERE {self._test(query.having, 'HAVING')}" if query.having is not None else ""
        return f"{head}\nFROM (\n{self._groups(query)}\n) AS {self._name(query.grouping.label)}{having}"

    def _from(self, query: Select) -> str:
        source = f"\nFROM {self._relation(query.source, {})}" if query.source is not None else ""
        return source + (f"\nWHERE {self._test(query.where, 'WHERE')}" if query.where is not None else "")

    def _groups(self, query: Select) -> str:
        """Keys and aggregates as columns, grouped by their numbers: an expression is written once."""
        assert query.grouping is not None
        told = _readers(query)
        parts = [
            f"{self._counted(c.expr, told.get(c.name, c.name))} AS {self._name(c.name)}"
            for c in (*query.grouping.keys, *query.grouping.aggregates)
        ]
        if not parts:
            parts = ["count(*) AS rows"]
        numbers = ", ".join(str(number) for number, _ in enumerate(query.grouping.keys, start=1))
        by = f"\nGROUP BY {numbers}" if numbers else ""
        return f"SELECT {', '.join(parts)}{self._from(query)}{by}"

    def _stacked(self, query: Stacked) -> str:
        sides = [self._side(side, query) for side in (query.left, query.right)]
        return "\nUNION\n".join(sides) if query.distinct else "\nUNION ALL\n".join(sides)

    def _side(self, side: Query, query: Stacked) -> str:
        columns = [
            f"{self._widened(self._name(own.name), own.type, common.type)} AS {self._name(common.name)}"
            for own, common in zip(side.schema, query.schema, strict=True)
        ]
        return f"SELECT {', '.join(columns) or self._row}\nFROM (\n{self.query(side)}\n) AS side"

    def _relation(self, relation: Relation, taken: Mapping[str, Sequence[Taken]]) -> str:
        match relation:
            case Source(label, alias):
                return self._labelled(self.relations[alias], label, taken)
            case Shared(label, query):
                return self._labelled(self._name(query), label, taken)
            case Derived(label, query):
                return self._labelled(f"(\n{self._inner(query)}\n)", label, taken)
            case Joined():
                return self._joined(relation, taken)

    def _labelled(self, rows: str, label: str, taken: Mapping[str, Sequence[Taken]]) -> str:
        """A relation under its label, with the columns that conditions of joins take from it."""
        named = f"{rows} AS {self._name(label)}"
        columns = [
            f"{self._when(t.tests, self._counted(t.expr, 'ON'))} AS {self._name(t.name)}" for t in taken.get(label, ())
        ]
        if not columns:
            return named
        return f"(\nSELECT *, {', '.join(columns)}\nFROM {named}\nOFFSET 0\n) AS {self._name(label)}"

    def _joined(self, relation: Joined, above: Mapping[str, Sequence[Taken]]) -> str:
        kind_, test, taken = relation.kind, relation.condition, above
        if test is not None and self.counter is not None and divided(test):
            found = divisions.condition(relation, above)
            taken = found.taken
            on = "\nON " + self._apart(found.plain, found.rest, "ON")
        else:
            on = f"\nON {self.expr(test)}" if test is not None else ""
        words = kind_.removeprefix("LEFT ") if self.dialect.name == "duckdb" and "I" in kind_[5:] else kind_
        return f"{self._relation(relation.left, taken)}\n{words} JOIN {self._relation(relation.right, taken)}{on}"

    def expr(self, expr: Expr) -> str:
        """An expression as SQL, in brackets where it needs them."""
        match expr:
            case Ref(relation, name):
                return f"{self._name(relation)}.{self._name(name)}"
            case Const():
                return self._const(expr)
            case Call("current_date" | "current_timestamp"):
                return self._now(expr.type)
            case Call():
                return self._call(expr)
            case Convert():
                return self._convert(expr)
            case Case():
                branches = " ".join(f"WHEN {self.expr(t)} THEN {self.expr(v)}" for t, v in expr.branches)
                return f"CASE {branches} ELSE {self.expr(expr.otherwise)} END"
            case Aggregate():
                return self._aggregate(expr, "")
            case Over():
                return self._over(expr)
            case InQuery(operand, query):
                return f"({self.expr(operand)} IN (\n{self._asked(query)}\n))"
            case Exists(query):
                return f"EXISTS (\n{self._quiet.query(query)}\n)"
            case Single(query):
                return f"(\n{self._asked(query)}\n)"

    def _asked(self, query: Query) -> str:
        """A query in an expression. How often one that reads the row around it is computed is up to the engine."""
        return (self._quiet if correlated(query) else self).query(query)

    def _const(self, expr: Const) -> str:
        if expr.value is None or not (expr.type == INT and isinstance(expr.value, int)):
            return literal(self.dialect, expr.value, expr.type)
        # A bare number takes the type of what it stands with in DuckDB; in Spark it is an int.
        return str(expr.value) if self.dialect.name == "spark" else f"CAST({expr.value} AS INTEGER)"

    def _now(self, type_: Type) -> str:
        if self.now is None:
            return f"CAST(current_timestamp AS {self.dialect.type_name(type_)})"
        at = self.now.astimezone(UTC).replace(tzinfo=None)
        value: date = at.date() if type_ == DATE else at
        return literal(self.dialect, value, type_)

    def _call(self, expr: Call) -> str:
        args = [self.expr(arg) for arg in expr.args]
        if expr.name in ("read_date", "read_timestamp"):
            told = expr.args[2]
            args[2] = self._told(str(told.value) if isinstance(told, Const) else "")
        elif expr.name == "element":
            args.append(self._told("an array has no such element"))
        return functions.function(expr, args, self.dialect)

    def _told(self, message: str) -> str:
        """What a failure says: on the embedded engine with the node, which stands in no message of its own."""
        return self.dialect.text(f"{self.node_id}|{message}" if self.dialect.name == "duckdb" else message)

    def _convert(self, expr: Convert) -> str:
        value, source = self.expr(expr.operand), _plain(expr.operand.type)
        if expr.mode == "widen":
            return self._widened(value, source, expr.type)
        cast = self.dialect.cast(value, source, expr.type)
        if expr.mode == "try" or never_fails(source, expr.type):
            return cast
        told = self._told(expr.told)
        if self.dialect.name == "duckdb":
            return f"sql_must({cast}, {value}, {told})"
        shown = f"raise_error(concat({told}, ': ', CAST({value} AS STRING)))"
        return f"coalesce({cast}, CASE WHEN {value} IS NOT NULL THEN {shown} END)"

    def _widened(self, sql: str, source: Type, target: Type) -> str:
        if _plain(source) == target or (kind(source) == kind(target) == "text"):
            return sql
        if source == TIMESTAMP_TZ and target == DATE:
            sql = f"CAST({sql} AS {self.dialect.type_name(TIMESTAMP)})"
        return f"CAST({sql} AS {self.dialect.type_name(target)})"

    def _aggregate(self, expr: Aggregate, over: str, *, given: str = "") -> str:
        args = ", ".join(map(self._quiet.expr, expr.args)) or "*"
        given = given or ", ".join(map(self.expr, expr.args)) or "*"
        name = "stddev_samp" if expr.name == "stddev" else expr.name
        value = f"{name}({'DISTINCT ' if expr.distinct else ''}{given}){over}"
        if expr.name != "sum" or self.dialect.name != "duckdb":
            return value
        if isinstance(expr.type, Decimal) and expr.type.precision == MAX_PRECISION:
            # DuckDB does not notice when such a sum has more digits than there are: the sum of doubles does.
            about = f"sum(CAST({args} AS DOUBLE)){over}"
            value = f"sql_sum({value}, {about}, 1e{MAX_PRECISION - expr.type.scale}, {self._told('sum')})"
        return f"CAST({value} AS {self.dialect.type_name(expr.type)})"  # DuckDB's own sums are wider

    def _over(self, expr: Over) -> str:
        parts = []
        if expr.partition:
            parts.append(f"PARTITION BY {', '.join(map(self.expr, expr.partition))}")
        if expr.order:
            keys = (self.expr(k.expr) + _direction(k.descending, k.nulls_first) for k in expr.order)
            parts.append(f"ORDER BY {', '.join(keys)}")
        if expr.frame is not None:
            unit, start, end = expr.frame
            parts.append(f"{unit} BETWEEN {start} AND {end}")
        over = f" OVER ({' '.join(parts)})"
        if isinstance(expr.call, Aggregate):
            return self._aggregate(expr.call, over)
        value = functions.function(expr.call, [self.expr(arg) for arg in expr.call.args], self.dialect) + over
        return f"CAST({value} AS INTEGER)" if expr.call.name in _RANKING and self.dialect.name == "duckdb" else value

    # What is divided by zero is null, and counted once for each value of a column, and for each row that is tested.

    @property
    def _quiet(self) -> "Writer":
        """Writes the same and counts nothing: for what stands in the text again."""
        return replace(self, counter=None)

    @property
    def _row(self) -> str:
        """Rows of which no column is read."""
        return f"TRUE AS {self._name(ROW)}"

    def _counted(self, expr: Expr, column: str) -> str:
        if self.counter is None or not divided(expr):
            return self.expr(expr)
        if isinstance(expr, Aggregate):
            return self._aggregate(expr, "", given=", ".join(self._counted(arg, column) for arg in expr.args))
        return f"sql_counted({self.expr(expr)}, {self._bad(expr)}, '{self.counter(column)}')"

    def _test(self, test: Expr, clause: str) -> str:
        if self.counter is None or not divided(test):
            return self.expr(test)
        parts = conjuncts(test)
        plain = [part for part in parts if not divided(part)]
        return self._apart(plain, [part for part in parts if divided(part)], clause)

    def _apart(self, plain: Sequence[Expr], rest: Sequence[Expr], clause: str) -> str:
        """Tests that all have to hold: those with a division are computed, and counted, where the others hold."""
        tests = [f"({self.expr(part)})" for part in plain if not rest or not has_query(part)]
        if rest:
            value = " AND ".join(f"({self.expr(part)})" for part in rest)
            counter = self.counter(clause) if self.counter is not None else ""
            counted = f"sql_counted({value}, {self._any_bad(rest)}, '{counter}')"
            tests.append(self._when(plain, counted))
        return " AND ".join(tests)

    def _when(self, tests: Sequence[Expr], value: str) -> str:
        """The value where the tests hold. They stand before it too, but for those with a query, which count here."""
        shown = [f"({(self if has_query(test) else self._quiet).expr(test)})" for test in tests]
        return f"CASE WHEN {' AND '.join(shown)} THEN {value} END" if shown else value

    def _any_bad(self, exprs: Sequence[Expr]) -> str:
        return _any([self._bad(expr) for expr in exprs if divided(expr)])

    def _bad(self, expr: Expr) -> str:
        """Whether a division by zero is met on the way to a value that has a division in it."""
        write = self._quiet.expr
        inner = [part for part in operands(expr) if divided(part)]
        match expr:
            case Call("/" | "%", (left, right)) if is_division(expr):
                return _any([f"({write(right)} = 0 AND {write(left)} IS NOT NULL)", *map(self._bad, inner)])
            case Call("and" | "or", args):
                plain = [f"({write(arg)})" for arg in args if not divided(arg)]
                decided = f" {expr.name.upper()} ".join(plain)
                kept = [f"({decided}) IS NOT {'FALSE' if expr.name == 'and' else 'TRUE'}"] if plain else []
                return _all([self._any_bad(inner), *kept])
            case Call("coalesce", args):
                guards = [f"{write(arg)} IS NULL" for arg in args]
                return _any([_all([*guards[:n], self._bad(arg)]) for n, arg in enumerate(args) if arg in inner])
            case Case():
                pairs = [*expr.branches, (None, expr.otherwise)]
                found = [(t, self._bad(v) if divided(v) else "FALSE") for t, v in pairs]
                values = " ".join(f"WHEN {write(t)} THEN {bad}" for t, bad in found if t is not None)
                own = f"CASE {values} ELSE {found[-1][1]} END"
                return _any([own, *(self._bad(test) for test, _ in expr.branches if divided(test))])
            case _:
                return self._any_bad(inner)


def _any(tests: Sequence[str]) -> str:
    return tests[0] if len(tests) == 1 else "(" + " OR ".join(tests) + ")"


def _all(tests: Sequence[str]) -> str:
    return tests[0] if len(tests) == 1 else "(" + " AND ".join(tests) + ")"


def _direction(descending: bool, nulls_first: bool) -> str:
    return f" {'DESC' if descending else 'ASC'} NULLS {'FIRST' if nulls_first else 'LAST'}"


def _plain(type_: Type) -> Type:
    return STRING if isinstance(type_, Characters) else type_


def _readers(query: Select) -> dict[str, str]:
    """For each column of the groups, the result column that reads it first."""
    found: dict[str, str] = {}
    for column in query.columns:
        for part in inside(column.expr):
            if isinstance(part, Ref) and query.grouping is not None and part.relation == query.grouping.label:
                found.setdefault(part.name, column.name)
    return found
