"""A plan as SQL text: one named step for each operation, in either dialect.

Every step is a view over the steps before it, so the script reads as the graph does; an operation that two others read
is a table instead, computed once. What a source reads from and where a target writes to is asked of the caller: places
for a script that people read, files for one that runs.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from headrace.engines import macros, merging
from headrace.engines.base import Step
from headrace.engines.dialects import ROW, SqlDialect, literal
from headrace.engines.raw import Raw, checks, value
from headrace.plan.expr import (
    All,
    Call,
    Cast,
    Column,
    Compare,
    Comparison,
    Encrypted,
    Expr,
    Filled,
    Finite,
    IsNull,
    Like,
    Named,
    Not,
    OneOf,
    Piece,
    Some,
    Value,
    operands,
)
from headrace.plan.ops import (
    Aggregate,
    Collect,
    Distinct,
    Filter,
    Join,
    Merge,
    Op,
    Project,
    Read,
    ReadTable,
    Rows,
    Sink,
    Sql,
    Union,
    Write,
    WriteTable,
    in_order,
)
from headrace.plan.types import STRING, Decimal, Field, fold

_SIGNS: dict[Comparison, str] = {"EQ": "=", "NE": "<>", "GT": ">", "LT": "<", "GTE": ">=", "LTE": "<="}
_JOINS = {
    "INNER": "INNER JOIN",
    "LEFT_OUTER": "LEFT OUTER JOIN",
    "RIGHT_OUTER": "RIGHT OUTER JOIN",
    "FULL_OUTER": "FULL OUTER JOIN",
}
_SIDES = {"row": "", "left": "l.", "right": "r."}


@dataclass(frozen=True, slots=True)
class Counted:
    """A counter of values that did not cast: its name in the engine, the node and the column."""

    name: str
    node_id: int
    column: str


@dataclass
class Script:
    """The steps, and the counters that they use."""

    steps: list[Step] = field(default_factory=list)
    counters: list[Counted] = field(default_factory=list)
    outputs: dict[int, str] = field(default_factory=dict)


class Generator:
    """Writes one script. `counts` tells whether the engine counts bad values by sequences, as DuckDB does.

    `whole` has every source and every node that counts computed as a table, to its last row.
    """

    def __init__(
        self,
        dialect: SqlDialect,
        *,
        raw: Callable[[Read], Raw],
        write: Callable[[Write, str], str],
        counts: bool,
        whole: bool = False,
    ) -> None:
        self.whole = whole
        self.dialect = dialect
        self.raw = raw
        self.write = write
        self.counts = counts
        self.script = Script()
        self._names: dict[int, str] = {}
        self._taken: Counter[str] = Counter()
        self._last: set[int] = set()

    def generate(self, sinks: Sequence[Sink]) -> Script:
        """The script for all the sinks."""
        ops = in_order(sinks)
        readers = Counter(id(parent) for op in ops for parent in _read_by(op))
        self._last = {id(sink.parent) for sink in sinks if readers[id(sink.parent)] == 1}
        for op in ops:
            self._names[id(op)] = self._name(op)
            match op:
                case Write():
                    self._step(op, _about(op), self.write(op, self._select(op)))
                case WriteTable():
                    place = f"{self.dialect.quoted(op.place.container)}.{self.dialect.quoted(op.place.table)}"
                    self._step(op, _about(op), f"INSERT INTO {place}\n{self._select(op)}")
                case Collect():
                    limit = "" if op.limit is None else f"\nLIMIT {op.limit}"
                    self._step(
                        op, _about(op), f"SELECT {self._list(op.schema.names)}\nFROM {self._of(op.parent)}{limit}"
                    )
                case _:
                    before = len(self.script.counters)
                    select = self._select(op)
                    whole = self.whole and (isinstance(op, Read) or len(self.script.counters) > before)
                    kind = "TABLE" if readers[id(op)] > 1 or whole else "VIEW"
                    self._step(op, _about(op), f"{self._create(kind)} {self._of(op)} AS\n{select}")
        return self.script

    def _create(self, kind: str) -> str:
        if self.dialect.name == "duckdb":
            return f"CREATE TEMP {kind}"
        return "CACHE TABLE" if kind == "TABLE" else "CREATE OR REPLACE TEMPORARY VIEW"

    def _step(self, op: Op, comment: str, statement: str) -> None:
        self.script.steps.append(Step(op.node_id, op.node, comment, statement))

    def _name(self, op: Op) -> str:
        """A name that people recognise and that no other step has."""
        plain = f"{op.node} ({op.node_id})" if self.dialect.name == "duckdb" else _simple(op)
        self._taken[plain] += 1
        return self.dialect.quoted(plain if self._taken[plain] == 1 else f"{plain} {self._taken[plain]}")

    def _of(self, op: Op) -> str:
        return self._names[id(op)]

    def _list(self, names: Sequence[str]) -> str:
        return ", ".join(map(self.dialect.quoted, names)) or f"TRUE AS {self.dialect.quoted(ROW)}"

    def _select(self, op: Op) -> str:
        match op:
            case Read():
                return self._read(op)
            case ReadTable():
                place = f"{self.dialect.quoted(op.place.container)}.{self.dialect.quoted(op.place.table)}"
                return f"SELECT {self._list(op.used.names)}\nFROM {place}"
            case Rows():
                return self._rows(op)
            case Project():
                columns = self._columns(op, op.columns)
                return f"SELECT {columns}\nFROM {self._of(op.parent)}" + self._barrier(op, op.columns)
            case Filter():
                return f"SELECT *\nFROM {self._of(op.parent)}\nWHERE {self.expr(op.test, op)}"
            case Join():
                sides = f"{self._of(op.left)} AS l\n{_JOINS[op.kind]} {self._of(op.right)} AS r"
                return f"SELECT {self._columns(op, op.columns)}\nFROM {sides}\nON {self.expr(op.condition, op)}"
            case Union():
                rows = "\nUNION ALL\n".join(f"SELECT * FROM {self._of(parent)}" for parent in op.inputs)
                return f"SELECT DISTINCT * FROM (\n{rows}\n)" if op.distinct else rows
            case Aggregate():
                return self._aggregate(op)
            case Merge():
                return merging.text(op, self.dialect, current=self._of(op.current), incoming=self._of(op.incoming))
            case Distinct():
                return self._distinct(op)
            case Sql():
                return self._query(op)
            case WriteTable():
                return f"SELECT {self._list(op.schema.names)}\nFROM {self._of(op.parent)}"
            case Write():
                values = [self._written(f, op) for f in op.schema]
                return f"SELECT {', '.join(values)}\nFROM {self._of(op.parent)}"
            case _:
                raise NotImplementedError(type(op).__name__)

    def _written(self, column: Field, op: Write) -> str:
        name = self.dialect.quoted(column.name)
        value = name if op.format == "PARQUET" else self.dialect.written(name, column.type)
        if op.format == "CSV" and isinstance(column.type, Decimal) and column.type.precision == column.type.scale:
            value = self.dialect.cast(name, column.type, STRING)  # DuckDB's writer leaves out the 0 before the point
        return value if value == name else f"{value} AS {name}"

    def _read(self, op: Read) -> str:
        raw = self.raw(op)
        if raw.before:
            self._step(op, f"the data of {op.place}", raw.before)
        before = len(self.script.counters)
        columns = ", ".join(self._entered(f, raw, op) for f in op.used) or self._list(())
        tests = list(checks(op, raw, self.dialect)) if op.bad_values == "FAIL" else []
        where = "\nWHERE " + "\n  AND ".join(tests) if tests else ""
        counted = len(self.script.counters) > before and id(op) not in self._last
        return f"SELECT {columns}\nFROM {raw.relation}{where}" + ("\nOFFSET 0" if tests or counted else "")

    def _entered(self, column: Field, raw: Raw, op: Read) -> str:
        """A column of a source in its declared type. What does not fit is counted, unless it fails the run."""
        name = self.dialect.quoted(column.name)
        own = value(column, raw, op, self.dialect)
        if own == name:
            return name
        count_as = column.name if op.bad_values == "NULL" else None
        return f"{self._count(own, name, count_as, op)} AS {name}"

    def _rows(self, op: Rows) -> str:
        names = [self.dialect.quoted(f.name) for f in op.given]
        types = [f.type for f in op.given]
        rows = [
            "SELECT " + ", ".join(
                f"{literal(self.dialect, v, t)} AS {n}" for v, t, n in zip(row, types, names, strict=True)
            )
            for row in op.rows
        ]  # fmt: skip
        if not rows:
            nothing = ", ".join(f"{literal(self.dialect, None, t)} AS {n}" for t, n in zip(types, names, strict=True))
            return f"SELECT {nothing} WHERE FALSE"
        return "\nUNION ALL\n".join(rows)

    def _aggregate(self, op: Aggregate) -> str:
        groups = [self.dialect.quoted(g.name) for g in op.groups]
        measures = [f"{self.expr(m.expr, op)} AS {self.dialect.quoted(m.name)}" for m in op.measures]
        by = f"\nGROUP BY {', '.join(groups)}" if groups else ""
        measures = measures if groups or measures else [f"count(*) AS {self.dialect.quoted(ROW)}"]
        return f"SELECT {', '.join((*groups, *measures))}\nFROM {self._of(op.parent)}{by}"

    def _distinct(self, op: Distinct) -> str:
        if {fold(key) for key in op.keys} == {fold(name) for name in op.schema.names}:
            return f"SELECT DISTINCT *\nFROM {self._of(op.parent)}"
        order = ", ".join(f"{self.dialect.quoted(name)} NULLS FIRST" for name in op.schema.names)
        number = f"row_number() OVER (PARTITION BY {self._list(op.keys)} ORDER BY {order})"
        rows = f"SELECT *, {number} AS {self.dialect.quoted(NUMBER)} FROM {self._of(op.parent)}"
        names = self._list(op.schema.names)
        return f"SELECT {names}\nFROM (\n{rows}\n)\nWHERE {self.dialect.quoted(NUMBER)} = 1"

    def _query(self, op: Sql) -> str:
        # Reading the text again costs a parser, which only a job with such a node loads.
        from headrace.engines.queries import Writer
        from headrace.sqltext.check import check
        from headrace.sqltext.narrowing import narrowed

        whole = check(op.text, tuple((source.alias, source.schema) for source in op.sources))
        checked = narrowed(whole, op.result.names)
        relations = {s.alias: self._of(parent) for s, parent in zip(op.sources, op.inputs, strict=True)}
        before = len(self.script.counters)
        counter = (lambda column: self._counter(column, op)) if self.counts else None
        text = Writer(self.dialect, relations, op.node_id, op.now, counter).text(checked)
        barrier = len(self.script.counters) > before and id(op) not in self._last
        return f"SELECT * FROM (\n{text}\n) AS rows\nOFFSET 0" if barrier else text

    def _columns(self, op: Op, columns: Sequence[Named]) -> str:
        shown = []
        for c in columns:
            name = self.dialect.quoted(c.name)
            value = self.expr(c.expr, op)
            shown.append(value if value == name else f"{value} AS {name}")
        return ", ".join(shown) or f"TRUE AS {self.dialect.quoted(ROW)}"

    def _barrier(self, op: Op, columns: Sequence[Named]) -> str:
        """Keeps DuckDB from moving a filter below counted casts: the counts are over all rows."""
        counted = any(_counted(c.expr) for c in columns) and id(op) not in self._last
        return "\nOFFSET 0" if counted and self.counts else ""

    def expr(self, expr: Expr, op: Op) -> str:
        """An expression as SQL."""
        match expr:
            case Column(name, _, side):
                return _SIDES[side] + self.dialect.quoted(name)
            case Value(value, type_):
                return literal(self.dialect, value, type_)
            case Compare(operator, left, right):
                return f"{self.expr(left, op)} {_SIGNS[operator]} {self.expr(right, op)}"
            case IsNull(operand):
                return f"{self.expr(operand, op)} IS NULL"
            case Not(operand):
                return f"NOT ({self.expr(operand, op)})"
            case OneOf(operand, values):
                return f"{self.expr(operand, op)} IN ({', '.join(self.expr(value, op) for value in values)})"
            case Like(operand, pattern):
                return self.dialect.like(self.expr(operand, op), pattern)
            case All(tests):
                return " AND ".join(f"({self.expr(test, op)})" for test in tests)
            case Some(tests):
                return " OR ".join(f"({self.expr(test, op)})" for test in tests)
            case Cast(operand, target, count_as):
                inner = self.expr(operand, op)
                return self._count(self.dialect.cast(inner, operand.type, target), inner, count_as, op)
            case Finite(operand, count_as):
                return self._finite(operand, count_as, op)
            case Filled(operand, value):
                return self.dialect.filled(self.expr(operand, op), self.expr(value, op), operand.type)
            case Piece(operand, delimiter, index, last):
                return self.dialect.piece(self.expr(operand, op), delimiter, index, last=last)
            case Encrypted(operand, key):
                return self.dialect.encrypted(self.expr(operand, op), key)
            case Call(function, argument):
                return self.dialect.aggregate(function, self.expr(argument, op), argument.type, expr.type)

    def _finite(self, operand: Expr, count_as: str, op: Op) -> str:
        """Counted once, also over a counted cast: what is counted stands several times in the text of its counter."""
        if isinstance(operand, Cast):
            inner = self.expr(operand.operand, op)
            value = self.dialect.cast(inner, operand.operand.type, operand.type)
        else:
            inner = value = self.expr(operand, op)
        return self._count(self.dialect.finite(value), inner, count_as, op)

    def _count(self, value: str, inner: str, count_as: str | None, op: Op) -> str:
        if count_as is None or not self.counts:
            return value
        name = self._counter(count_as, op)
        return macros.counted(value, inner, name)

    def _counter(self, column: str, op: Op) -> str:
        safe = column.lower() if re.fullmatch(r"[A-Za-z0-9_]{1,40}", column) else "column"
        name = f"bad_{len(self.script.counters) + 1}_{safe}"
        self.script.counters.append(Counted(name, op.node_id, column))
        return name


FAILED = "headrace:failed:"
"""Begins the message of a value that an SQL node could not convert; JSON follows."""
NUMBER = "_headrace_number"


def _read_by(op: Op) -> tuple[Op, ...]:
    """The parents, as often as they are read: a merge looks at its new rows, and then takes them."""
    return (*op.parents, op.incoming) if isinstance(op, Merge) else op.parents


def _counted(expr: Expr) -> bool:
    own = isinstance(expr, Cast | Finite) and expr.count_as is not None
    return own or any(map(_counted, operands(expr)))


def _simple(op: Op) -> str:
    """A name without signs that Spark's view names can't have."""
    return re.sub(r"\W+", "_", f"{op.node}_{op.node_id}").strip("_").lower()


def _about(op: Op) -> str:
    match op:
        case Read():
            return f"read {op.place} as {op.format}"
        case ReadTable():
            return f"read {op.place}"
        case WriteTable():
            return f"write {op.place}, {op.mode}"
        case Write():
            return f"write {op.place} as {op.format}, {op.mode}"
        case _:
            return type(op).__name__.lower()


def numbered(steps: Sequence[Step]) -> Iterator[str]:
    """The steps as text, each under a comment that names its node."""
    for number, step in enumerate(steps, start=1):
        node = " ".join(step.node.split())
        yield f"-- {number}. {node} ({step.node_id}): {step.comment}\n{step.statement};\n"
