"""Expressions: each class of the syntax tree that may stand in one, and what it means.

The table `_KNOWN` is the allow-list: a class that is not in it is refused with its place, whatever it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from headrace.plan.casts import kind
from headrace.plan.types import (
    BOOLEAN,
    DATE,
    INT,
    STRING,
    TIMESTAMP,
    VOID,
    Array,
)
from headrace.sqltext.calls import Binder
from headrace.sqltext.casting import cast, number, weight
from headrace.sqltext.faults import SqlInvalid
from headrace.sqltext.scopes import Scope, Work, resolve
from headrace.sqltext.tree import Call, Case, Const, Exists, Expr, InQuery, Ref, Single
from headrace.sqltext.widening import Unfit, alike, arithmetic, compared, orderable_kind, plain

if TYPE_CHECKING:
    from headrace.sqltext.check import Queries

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=", exp.NullSafeEQ: "<=>",
}  # fmt: skip
_ARITHMETIC: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_TESTS = (*_COMPARISONS, exp.Is, exp.In, exp.Between, exp.Like, exp.Escape, exp.RegexpLike, exp.Not)
MOST_WEIGHT = 20_000


@dataclass(frozen=True, slots=True)
class Clause:
    """What may stand in a part of a query."""

    name: str
    aggregates: bool = False
    windows: bool = False
    tests_of_queries: bool = False
    outer: bool = False


class Expressions:
    """Reads the expressions of one clause of one SELECT."""

    def __init__(self, work: Work, scope: Scope, clause: Clause, queries: "Queries") -> None:
        self.work = work
        self.scope = scope
        self.clause = clause
        self.queries = queries

    def of(self, node: exp.Expr) -> Expr:
        """What an expression means."""
        read = _KNOWN.get(type(node))
        if read is None:
            raise self._refused(node)
        try:
            made = read(self, node)
        except Unfit as error:
            raise self.work.fault(node, error.message, hint=error.hint, code="type-mismatch") from None
        if weight(made) > MOST_WEIGHT:
            raise self.work.fault(node, "the expression is too large", hint="take it apart with WITH")
        return made

    def test(self, node: exp.Expr) -> Expr:
        """An expression that is true, false or unknown."""
        made = self.of(node)
        if made.type not in (BOOLEAN, VOID):
            raise self.work.fault(node, f"{self.clause.name} needs a test, not {made.type}", code="type-mismatch")
        return made if made.type == BOOLEAN else Const(None, BOOLEAN)

    def within(self, clause: Clause) -> "Expressions":
        """The same for a part that may hold other things."""
        return Expressions(self.work, self.scope, clause, self.queries)

    def _refused(self, node: exp.Expr) -> SqlInvalid:
        told = _TOLD.get(type(node))
        message, hint = told or (f"{type(node).__name__} is not on the list of what a query may have", "")
        return self.work.fault(node, message, *_around(node), hint=hint)

    def _pair(self, node: exp.Expr) -> tuple[Expr, Expr]:
        self.work.only(node, "this", "expression", "typed", "safe")
        return self.of(node.args["this"]), self.of(node.args["expression"])

    def _clear(self, node: exp.Expr) -> None:
        """A test right inside another could be read in two ways."""
        for child in node.iter_expressions():
            if isinstance(child, _TESTS):
                hint = "put the inner test in brackets"
                raise self.work.fault(child, "a test beside a test could be read in two ways", node, hint=hint)

    def column(self, node: exp.Column) -> Expr:
        """A column; nothing else is behind a name."""
        if isinstance(node.this, exp.Star):
            raise self.work.fault(node, "a * stands in SELECT or in count(*) alone")
        return resolve(self.work, self.scope, node, outer=self.clause.outer)

    def literal(self, node: exp.Literal) -> Expr:
        """A text or a number, in the type that Spark gives it."""
        self.work.only(node, "this", "is_string")
        text = str(node.this)
        return Const(text, STRING) if node.is_string else number(text)

    def constant(self, node: exp.Expr) -> Expr:
        """TRUE, FALSE, NULL."""
        return Const(bool(node.this), BOOLEAN) if isinstance(node, exp.Boolean) else Const(None, VOID)

    def brackets(self, node: exp.Paren) -> Expr:
        """What stands in brackets."""
        self.work.only(node, "this")
        return self.of(node.this)

    def negative(self, node: exp.Neg) -> Expr:
        """A number with its sign changed."""
        self.work.only(node, "this")
        if isinstance(node.this, exp.Literal) and not node.this.is_string:
            return number(f"-{node.this.this}")
        inner = self.of(node.this)
        if kind(inner.type) != "number":
            raise Unfit(f"- takes a number, not {inner.type}")
        return Call("negative", (inner,), inner.type)

    def opposite(self, node: exp.Not) -> Expr:
        """NOT."""
        self.work.only(node, "this")
        return Call("not", (self.test(node.this),), BOOLEAN)

    def chain(self, node: exp.Expr) -> Expr:
        """AND, OR: a long chain is one call."""
        self.work.only(node, "this", "expression")
        parts = list(node.flatten(unnest=False))
        return Call("and" if isinstance(node, exp.And) else "or", tuple(self.test(part) for part in parts), BOOLEAN)

    def comparison(self, node: exp.Expr) -> Expr:
        """Both sides in one type."""
        self._clear(node)
        return Call(_COMPARISONS[type(node)], compared(*self._pair(node)), BOOLEAN)

    def arithmetic(self, node: exp.Expr) -> Expr:
        """Spark's arithmetic."""
        operator = _ARITHMETIC[type(node)]
        left, right, result = arithmetic(operator, *self._pair(node))
        return Call(operator, (left, right), result)

    def joined_text(self, node: exp.DPipe) -> Expr:
        """Texts one after another."""
        return Binder(self).call(node, "concat", self._pair(node))

    def is_null(self, node: exp.Is) -> Expr:
        """IS NULL, and nothing else behind IS."""
        self._clear(node)
        self.work.only(node, "this", "expression")
        if not isinstance(node.expression, exp.Null):
            raise self.work.fault(node, "IS stands before NULL alone", hint="compare with = TRUE, or with <=>")
        return Call("is null", (self.of(node.this),), BOOLEAN)

    def among(self, node: exp.In) -> Expr:
        """IN, over values or over a query."""
        self._clear(node)
        if node.args.get("query") is not None:
            self.work.only(node, "this", "query")
            return self._in_query(node)
        self.work.only(node, "this", "expressions")
        _, both = alike([self.of(node.this), *map(self.of, node.expressions)])
        orderable_kind(both[0].type)
        return Call("in", both, BOOLEAN)

    def _in_query(self, node: exp.In) -> Expr:
        self._may_test_queries(node)
        operand = self.of(node.this)
        query = self.queries.inner(node.args["query"], self.scope, outer=True)
        if len(query.schema) != 1:
            raise self.work.fault(node, f"IN needs a query of one column, not {len(query.schema)}")
        given = query.schema.fields[0]
        sides = compared(operand, Ref("", given.name, given.type))
        if plain(sides[1].type) != plain(given.type):
            hint = f"CAST its column AS {str(sides[1].type).upper()}"
            raise self.work.fault(node, f"{operand.type} is sought among {given.type}", hint=hint, code="type-mismatch")
        return InQuery(sides[0], query)

    def exists(self, node: exp.Exists) -> Expr:
        """Whether there are rows."""
        self._may_test_queries(node)
        self.work.only(node, "this")
        return Exists(self.queries.inner(node.this, self.scope, outer=True))

    def _may_test_queries(self, node: exp.Expr) -> None:
        if not self.clause.tests_of_queries:
            hint = "put it into WHERE, or write a join"
            raise self.work.fault(node, f"a query can't be tested in {self.clause.name}", hint=hint)

    def single(self, node: exp.Subquery) -> Expr:
        """The one value of a query."""
        if self.clause.name in ("GROUP BY", "ON", "an aggregate", "a window"):
            raise self.work.fault(node, f"a query can't stand in {self.clause.name}", hint="use WITH and a join")
        query = self.queries.inner(node, self.scope, outer=True, single=True)
        if len(query.schema) != 1:
            raise self.work.fault(node, f"a query that stands for a value has one column, not {len(query.schema)}")
        return Single(query, query.schema.fields[0].type)

    def between(self, node: exp.Between) -> Expr:
        """Both ends included."""
        self._clear(node)
        self.work.only(node, "this", "low", "high")
        _, (value, low, high) = alike([self.of(node.args[part]) for part in ("this", "low", "high")])
        orderable_kind(value.type)
        return Call("and", (Call(">=", (value, low), BOOLEAN), Call("<=", (value, high), BOOLEAN)), BOOLEAN)

    def like(self, node: exp.Expr) -> Expr:
        """LIKE, with a pattern that is written out and, if need be, another escape than a backslash."""
        escape = "\\"
        if isinstance(node, exp.Escape):
            self.work.only(node, "this", "expression")
            sign, node = node.expression, node.this
            if not isinstance(node, exp.Like):
                raise self.work.fault(node, "ESCAPE stands behind LIKE alone")
            escape = sign.name if isinstance(sign, exp.Literal) and sign.is_string else ""
        self._clear(node)
        self.work.only(node, "this", "expression", "negate")
        test = Binder(self).like(self.of(node.this), self.of(node.args["expression"]), escape)
        return Call("not", (test,), BOOLEAN) if node.args.get("negate") else test

    def matches(self, node: exp.RegexpLike) -> Expr:
        """RLIKE."""
        self._clear(node)
        return Binder(self).matches(*self._pair(node))

    def case(self, node: exp.Case) -> Expr:
        """CASE, with or without an operand."""
        self.work.only(node, "this", "ifs", "default")
        operand = self.of(node.this) if node.args.get("this") else None
        tests, values = [], []
        for branch in node.args["ifs"]:
            self.work.only(branch, "this", "true")
            if operand is None:
                tests.append(self.test(branch.this))
            else:
                tests.append(Call("=", compared(operand, self.of(branch.this)), BOOLEAN))
            values.append(self.of(branch.args["true"]))
        values.append(self.of(node.args["default"]) if node.args.get("default") else Const(None, VOID))
        return self._case(node, tests, values)

    def choice(self, node: exp.If) -> Expr:
        """if(test, yes, no)."""
        self.work.only(node, "this", "true", "false")
        if node.args.get("false") is None:
            raise self.work.fault(node, "if takes a test and two values", hint="if(test, yes, no)")
        values = [self.of(node.args["true"]), self.of(node.args["false"])]
        return self._case(node, [self.test(node.this)], values)

    def _case(self, node: exp.Expr, tests: list[Expr], values: list[Expr]) -> Expr:
        common, given = alike(values)
        if common == VOID:
            raise self.work.fault(node, "every value is NULL, so there is no type", hint="CAST(NULL AS STRING)")
        return Case(tuple(zip(tests, given[:-1], strict=True)), given[-1], common)

    def cast(self, node: exp.Expr) -> Expr:
        """CAST and TRY_CAST, by the one table of casts."""
        self.work.only(node, "this", "to", "safe", "_type")
        return cast(self.work, node, self.of(node.this))

    def element(self, node: exp.Bracket) -> Expr:
        """One part of an array, counted from 0."""
        self.work.only(node, "this", "expressions", "offset")
        parts = self.of(node.this)
        if not isinstance(parts.type, Array) or len(node.expressions) != 1:
            raise Unfit(f"[ ] takes one element of an array, not of {parts.type}")
        index = self.of(node.expressions[0])
        if index.type != INT:
            raise Unfit(f"an element is told by an int, not by {index.type}", hint="CAST it AS INT")
        return Call("element", (parts, index), parts.type.element)

    def trim(self, node: exp.Trim) -> Expr:
        """trim(signs FROM text) with its words."""
        self.work.only(node, "this", "expression", "position")
        side = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
        signs = node.args.get("expression")
        args = [self.of(node.this), *([self.of(signs)] if signs is not None else [])]
        return Binder(self).call(node, side, args)

    def call(self, node: exp.Anonymous) -> Expr:
        """A function that is called by its name."""
        return Binder(self).named(node)

    def now(self, node: exp.Expr) -> Expr:
        """CURRENT_DATE and CURRENT_TIMESTAMP without brackets."""
        self.work.only(node)
        day = isinstance(node, exp.CurrentDate)
        return Call("current_date" if day else "current_timestamp", (), DATE if day else TIMESTAMP)

    def window(self, node: exp.Window) -> Expr:
        """A value over a window."""
        return Binder(self).window(node)


def _around(node: exp.Expr) -> list[exp.Expr]:
    return [node.parent] if node.parent is not None else []


_TOLD: dict[type[exp.Expr], tuple[str, str]] = {
    exp.Interval: ("INTERVAL is not on the list", "use date_add, date_sub or add_months"),
    exp.Concat: ("two texts stand side by side", "write one text, or concat"),
    exp.Dot: ("a function or field of something is not on the list", ""),
    exp.Star: ("a * stands in SELECT or in count(*) alone", ""),
    exp.Select: ("a query stands in brackets", ""),
    exp.Distinct: ("DISTINCT stands in count(DISTINCT value)", ""),
    exp.ILike: ("ILIKE is not on the list", "compare lower(…) by LIKE"),
    exp.IntDiv: ("DIV is not on the list", "use floor(a / b)"),
}
_KNOWN: dict[type[exp.Expr], Callable[[Expressions, Any], Expr]] = {
    exp.Column: Expressions.column,
    exp.Literal: Expressions.literal,
    exp.Boolean: Expressions.constant,
    exp.Null: Expressions.constant,
    exp.Paren: Expressions.brackets,
    exp.Neg: Expressions.negative,
    exp.Not: Expressions.opposite,
    exp.And: Expressions.chain,
    exp.Or: Expressions.chain,
    **dict.fromkeys(_COMPARISONS, Expressions.comparison),
    **dict.fromkeys(_ARITHMETIC, Expressions.arithmetic),
    exp.DPipe: Expressions.joined_text,
    exp.Is: Expressions.is_null,
    exp.In: Expressions.among,
    exp.Exists: Expressions.exists,
    exp.Subquery: Expressions.single,
    exp.Between: Expressions.between,
    exp.Like: Expressions.like,
    exp.Escape: Expressions.like,
    exp.RegexpLike: Expressions.matches,
    exp.Case: Expressions.case,
    exp.If: Expressions.choice,
    exp.Cast: Expressions.cast,
    exp.TryCast: Expressions.cast,
    exp.Bracket: Expressions.element,
    exp.Trim: Expressions.trim,
    exp.Anonymous: Expressions.call,
    exp.CurrentDate: Expressions.now,
    exp.CurrentTimestamp: Expressions.now,
    exp.Window: Expressions.window,
}
