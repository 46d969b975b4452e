"""Calls: a name on the allow-list, arguments brought to its signature, windows around it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from headrace.plan.casts import kind
from headrace.plan.expr import Constant
from headrace.plan.types import BIGINT, BOOLEAN, DATE, DOUBLE, INT, STRING, TIMESTAMP, VOID, Array, Decimal, Type
from headrace.sqltext import functions, moments, patterns
from headrace.sqltext.functions import TRIMS, WRITTEN_OUT, Function, Parameter
from headrace.sqltext.scopes import nearest
from headrace.sqltext.tree import Aggregate, Call, Case, Const, Convert, Expr, Frame, Order, Over
from headrace.sqltext.widening import Unfit, alike, arithmetic, brought, compared, is_integer, orderable_kind, plain

if TYPE_CHECKING:
    from headrace.sqltext.expressions import Expressions

_LONGEST_PAD = 100_000
_NUMBERS: dict[str, tuple[int, int]] = {
    "digits": (-18, 18), "length": (0, _LONGEST_PAD), "group": (0, 9), "offset": (0, 1_000_000),
    "part": (1, 10_000),
}  # fmt: skip


class Binder:
    """Reads the calls of one clause."""

    def __init__(self, expressions: "Expressions") -> None:
        self.expressions = expressions
        self.work = expressions.work
        self.clause = expressions.clause

    def named(self, node: exp.Anonymous) -> Expr:
        """A function called by its name: one that needs no window."""
        self.work.only(node, "this", "expressions")
        function = self._function(node)
        if function.role == "window":
            raise self.work.fault(node, f"{function.name} needs a window", hint="OVER (… ORDER BY …)")
        if function.role == "aggregate":
            return self._aggregate(node, function)
        if function.name in TRIMS and len(node.expressions) != 1:
            hint = "trim(LEADING 'x' FROM text)"
            raise self.work.fault(node, f"{function.name} takes one text", hint=hint)
        return self.call(node, function.name, [self.expressions.of(part) for part in node.expressions])

    def _function(self, node: exp.Anonymous) -> Function:
        name = node.this if isinstance(node.this, str) else ""
        function = functions.find(name)
        if function is None:
            shown = name or node.sql("spark")[:60]
            hint = nearest(shown, functions.names())
            raise self.work.fault(
                node, f"{shown!r} is not on the list of functions", hint=hint, code="unknown-function"
            )
        return function

    def call(self, node: exp.Expr, name: str, args: Sequence[Expr]) -> Expr:
        """A function of one row."""
        function = functions.FUNCTIONS[name]
        if name == "if":
            given = self._bound(function, args)
            return Case(((given[0], given[1]),), given[2], given[1].type)
        if name in ("mod", "try_divide"):
            self._count(function, args)
            operator = "%" if name == "mod" else "/"
            left, right, result = arithmetic(operator, args[0], args[1])
            return Call(operator if name == "mod" else name, (left, right), result)
        if name == "nullif":
            self._count(function, args)
            return self._nullif(args[0], args[1])
        if name in ("to_date", "to_timestamp", "unix_timestamp"):
            self._count(function, args or [Const(None, VOID)] * (name == "unix_timestamp"))
            return self._moment(node, name, args)
        bound = self._bound(function, args)
        result = function.result if not callable(function.result) else function.result(bound)
        return Call(name, tuple(bound), result)

    def _nullif(self, left: Expr, right: Expr) -> Expr:
        sides = compared(left, right)
        test = Call("=", sides, BOOLEAN)
        given = Convert(left, STRING, "widen") if plain(left.type) != left.type else left
        return Case(((test, Const(None, given.type)),), given, given.type)

    def _count(self, function: Function, args: Sequence[Expr]) -> None:
        least = sum(not p.optional for p in function.parameters)
        most = len(function.parameters)
        if len(args) < least or (len(args) > most and not function.repeats):
            raise Unfit(f"{function.name} takes other arguments", hint=function.signature)

    def _bound(self, function: Function, args: Sequence[Expr]) -> list[Expr]:
        """The arguments, each as its parameter wants it; those left out by their defaults."""
        self._count(function, args)
        parameters = list(function.parameters)
        parameters += parameters[-1:] * (len(args) - len(parameters))
        groups: dict[str, int] = {}
        bound = [self._argument(function, p, a, groups) for p, a in zip(parameters, args, strict=False)]
        for p in parameters[len(args) :]:
            if p.default is not None:
                given = Const(p.default, STRING if isinstance(p.default, str) else INT)
                bound.append(self._argument(function, p, given, groups))
        same = [index for index, p in enumerate(parameters[: len(bound)]) if p.kind == "same"]
        if same:
            common, values = alike([bound[index] for index in same])
            if common == VOID:
                raise Unfit("every value is NULL, so there is no type", hint="CAST(NULL AS STRING)")
            if function.name in ("greatest", "least"):
                orderable_kind(common)
            for index, value in zip(same, values, strict=True):
                bound[index] = value
        return bound

    def _argument(self, function: Function, p: Parameter, given: Expr, groups: dict[str, int]) -> Expr:
        if p.kind in WRITTEN_OUT:
            return self._written_out(function, p, given, groups)
        if given.type == VOID and p.kind not in ("same", "any"):
            raise Unfit(f"{function.name}: {p.name} is NULL, so there is nothing to do", hint=function.signature)
        wanted = _wanted(p, given.type)
        if wanted is None:
            hint = f"{function.signature}; CAST it AS STRING" if p.kind == "string" else function.signature
            raise Unfit(f"{function.name}: {p.name} can't be {given.type}", hint=hint)
        return given if given.type == wanted else brought(given, wanted)

    def _written_out(self, function: Function, p: Parameter, given: Expr, groups: dict[str, int]) -> Expr:
        value = given.value if isinstance(given, Const) else None
        if p.kind in _NUMBERS:
            low, high = _NUMBERS[p.kind]
            most = groups.get("groups", high)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= min(high, most):
                raise Unfit(f"{function.name}: {p.name} is written out, {low} to {min(high, most):,}")
            return Const(value, INT)
        if not isinstance(value, str):
            raise Unfit(
                f"{function.name}: {p.name} is {WRITTEN_OUT[p.kind]} that is written out", hint=function.signature
            )
        try:
            return Const(_checked(function, p, value, groups), STRING)
        except (patterns.BadPattern, moments.BadFormat) as error:
            raise Unfit(f"{function.name}, {p.name}: {error}") from None

    def _moment(self, node: exp.Expr, name: str, args: Sequence[Expr]) -> Expr:
        """to_date, to_timestamp and unix_timestamp: of a text by a pattern or by the casts, or of another moment."""
        result = DATE if name == "to_date" else TIMESTAMP
        value: Expr = args[0] if args else Call("current_timestamp", (), TIMESTAMP)
        if kind(value.type) not in ("text", "moment"):
            raise Unfit(f"{name} takes a text, a date or a timestamp, not {value.type}")
        told = f"{name}, {self.work.place(node)}"
        if kind(value.type) == "moment":
            if len(args) > 1:
                raise Unfit(f"{name} of {value.type} takes no pattern")
            made: Expr = value if value.type == result else Convert(value, result, "widen")
        elif len(args) == 1 and name != "unix_timestamp":
            if isinstance(value, Const):
                return brought(value, result)
            made = Convert(value, result, "strict", told)
        else:
            given = args[1] if len(args) > 1 else Const("yyyy-MM-dd HH:mm:ss", STRING)
            pattern = self._written_out(functions.FUNCTIONS[name], Parameter("pattern", "reading"), given, {})
            read = "read_date" if name == "to_date" else "read_timestamp"
            made = Call(read, (brought(value, STRING), pattern, Const(told, STRING)), result)
        return Call("unix_timestamp", (made,), BIGINT) if name == "unix_timestamp" else made

    def like(self, value: Expr, pattern: Expr, escape: str) -> Expr:
        """LIKE with a pattern whose escapes are whole."""
        if kind(value.type) != "text":
            raise Unfit(f"LIKE takes a text, not {value.type}", hint="CAST it AS STRING")
        if not (isinstance(pattern, Const) and isinstance(pattern.value, str)):
            raise Unfit("the pattern of LIKE is written out", hint="for a part of a text use instr(text, part) > 0")
        if len(escape) != 1 or escape in "%_":
            raise Unfit("ESCAPE is followed by one sign, not % or _")
        at = 0
        while at < len(pattern.value):
            if pattern.value[at] == escape:
                if pattern.value[at + 1 : at + 2] not in ("%", "_", escape):
                    raise Unfit(
                        f"in LIKE {escape} stands before %, _ or itself", hint=f"write {escape * 2} for the sign"
                    )
                at += 1
            at += 1
        return Call("like", (brought(value, STRING), pattern, Const(escape, STRING)), BOOLEAN)

    def matches(self, value: Expr, pattern: Expr) -> Expr:
        """RLIKE."""
        if kind(value.type) != "text":
            raise Unfit(f"RLIKE takes a text, not {value.type}", hint="CAST it AS STRING")
        rlike = Function("RLIKE", "", (), BOOLEAN, "", "")
        given = self._written_out(rlike, Parameter("the pattern", "pattern"), pattern, {})
        return Call("rlike", (brought(value, STRING), given), BOOLEAN)

    def _aggregate(self, node: exp.Anonymous, function: Function, *, window: bool = False) -> Aggregate:
        if not (self.clause.aggregates or window):
            hint = "use HAVING" if self.clause.name == "WHERE" else "aggregate in a query of its own first"
            raise self.work.fault(node, f"{function.name} can't stand in {self.clause.name}", hint=hint)
        inner = (
            self.expressions.within(type(self.clause)("an aggregate", aggregates=False))
            if not window
            else self.expressions
        )
        parts, distinct = node.expressions, False
        if len(parts) == 1 and isinstance(parts[0], exp.Distinct):
            self.work.only(parts[0], "expressions")
            parts, distinct = parts[0].expressions, True
        if function.name == "count" and len(parts) == 1 and isinstance(parts[0], exp.Star) and not distinct:
            self.work.only(parts[0])
            return Aggregate("count", (), False, BIGINT)
        if function.name == "count" and len(parts) != 1:
            raise self.work.fault(node, "count takes * or one value", hint="count(DISTINCT concat_ws(…)) for several")
        if distinct and (window or function.name == "stddev"):
            raise self.work.fault(node, f"DISTINCT can't stand in {function.name} here")
        bound = self._bound(function, [inner.of(part) for part in parts])
        if distinct and function.name == "count":
            orderable_kind(bound[0].type)
        if distinct and function.name == "sum" and isinstance(bound[0].type, Decimal) and bound[0].type.precision > 28:
            raise Unfit(
                f"sum(DISTINCT …) of {bound[0].type} may have too many digits", hint="CAST it AS DECIMAL(28, …)"
            )
        result = function.result if not callable(function.result) else function.result(bound)
        return Aggregate(function.name, tuple(bound), distinct, result)

    def window(self, node: exp.Window) -> Expr:
        """A call over a window that is written out behind it."""
        self.work.only(
            node, "this", "partition_by", "order", "spec", "over", hint="write OVER (PARTITION BY … ORDER BY …)"
        )
        if not self.clause.windows:
            raise self.work.fault(
                node, f"a window can't stand in {self.clause.name}", hint="use a query of its own, WITH"
            )
        called = node.this
        if not isinstance(called, exp.Anonymous):
            raise self.work.fault(called, f"{type(called).__name__} can't stand before OVER", node)
        function = self._function(called)
        self.work.only(called, "this", "expressions")
        inner = self.expressions.within(type(self.clause)("a window", aggregates=self.clause.aggregates))
        binder = Binder(inner)
        partition = tuple(_grouped(inner.of(part)) for part in node.args.get("partition_by") or ())
        order = self._order(inner, node.args.get("order"))
        if function.role == "aggregate":
            call: Call | Aggregate = binder._aggregate(called, function, window=True)
            return Over(call, partition, order, self._frame(node, ordered=bool(order)))
        if function.role != "window":
            raise self.work.fault(called, f"{function.name} can't stand before OVER")
        if not order:
            raise self.work.fault(called, f"{function.name} needs an order", hint="OVER (… ORDER BY …)")
        if node.args.get("spec") is not None:
            raise self.work.fault(node, f"{function.name} takes no frame")
        return Over(self._ranking(inner, called, function), partition, order, None)

    def _ranking(self, inner: "Expressions", node: exp.Anonymous, function: Function) -> Call:
        args = [inner.of(part) for part in node.expressions]
        bound = self._bound(function, args)
        if not bound:
            return Call(function.name, (), INT)
        if bound[0].type == VOID:
            raise Unfit(f"{function.name} of NULL is NULL")
        if len(bound) == 3:
            common, (_, otherwise) = alike((bound[0], bound[2]))
            if common != plain(bound[0].type):
                raise Unfit(f"the last argument of {function.name} is not {bound[0].type}", hint="CAST it")
            bound[2] = otherwise
        return Call(function.name, tuple(bound), plain(bound[0].type))

    def _order(self, inner: "Expressions", node: exp.Expr | None) -> tuple[Order, ...]:
        if node is None:
            return ()
        self.work.only(node, "expressions")
        keys = []
        for key in node.expressions:
            self.work.only(key, "this", "desc", "nulls_first")
            keys.append(
                Order(_grouped(inner.of(key.this)), bool(key.args.get("desc")), bool(key.args.get("nulls_first")))
            )
        return tuple(keys)

    def _frame(self, node: exp.Window, *, ordered: bool) -> tuple[Frame, str, str] | None:
        spec = node.args.get("spec")
        if spec is None:
            return ("RANGE", "UNBOUNDED PRECEDING", "CURRENT ROW") if ordered else None
        self.work.only(spec, "kind", "start", "start_side", "end", "end_side")
        if not ordered:
            raise self.work.fault(spec, "a frame needs an order", node, hint="OVER (… ORDER BY … ROWS …)")
        unit = str(spec.args.get("kind") or "").upper()
        ends = [self._end(node, spec, unit, "start"), self._end(node, spec, unit, "end")]
        if ends[0] > ends[1]:
            raise self.work.fault(spec, "the frame ends before it begins", node)
        return ("ROWS" if unit == "ROWS" else "RANGE", _bound_text(ends[0]), _bound_text(ends[1]))

    def _end(self, node: exp.Expr, spec: exp.Expr, unit: str, which: str) -> float:
        """An end as a number of rows from the current one."""
        value, side = spec.args.get(which), str(spec.args.get(f"{which}_side") or "").upper()
        sign = -1 if side == "PRECEDING" else 1
        if value is None or (isinstance(value, str) and value.upper() == "CURRENT ROW"):
            return 0
        if isinstance(value, str) and value.upper() == "UNBOUNDED":
            return sign * float("inf")
        if unit == "ROWS" and isinstance(value, exp.Literal) and str(value.this).isdecimal() and len(value.this) < 10:
            return sign * int(value.this)
        hint = "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW; RANGE with UNBOUNDED or CURRENT ROW alone"
        raise self.work.fault(node, "this frame is not on the list", hint=hint)


def _bound_text(end: float) -> str:
    if end == 0:
        return "CURRENT ROW"
    side = "PRECEDING" if end < 0 else "FOLLOWING"
    return f"UNBOUNDED {side}" if abs(end) == float("inf") else f"{abs(int(end))} {side}"


def _grouped(expr: Expr) -> Expr:
    orderable_kind(expr.type)
    return expr


def _wanted(p: Parameter, given: Type) -> Type | None:
    """The type in which a parameter takes a value of this type; None when it does not."""
    match p.kind:
        case "string":
            return STRING if kind(given) == "text" else None
        case "int":
            return INT if is_integer(given) and given != BIGINT else None
        case "bigint":
            return BIGINT if is_integer(given) else None
        case "double":
            return DOUBLE if kind(given) == "number" else None
        case "number":
            return given if kind(given) == "number" else None
        case "date":
            return DATE if kind(given) == "moment" else None
        case "moment":
            return TIMESTAMP if kind(given) == "moment" else None
        case "boolean":
            return BOOLEAN if given == BOOLEAN else None
        case "array":
            return given if isinstance(given, Array) and given.element == STRING else None
        case "comparable":
            return plain(given) if kind(given) in ("text", "number", "boolean", "moment") else None
        case _:
            return plain(given)


def _checked(function: Function, p: Parameter, value: str, groups: dict[str, int]) -> Constant:
    match p.kind:
        case "pattern":
            found = patterns.parse_pattern(value)
            groups["groups"] = found.groups
            if found.empty and function.name in ("split", "regexp_replace"):
                raise patterns.BadPattern("it matches empty text, which no two engines treat alike")
            if found.anchored and function.name == "split":
                raise patterns.BadPattern("^ in split is met again behind each part by some engines")
        case "replacement":
            patterns.replacement(value, groups.get("groups", 0))
        case "format":
            moments.shown(value)
        case "reading":
            moments.read(value)
            if function.name == "to_date" and set("HmsS") & set(moments.read(value).groups):
                raise moments.BadFormat("a date has no hours; use to_timestamp")
        case _:
            unit = moments.UNITS.get(value.upper())
            if unit is None or (p.kind == "date unit" and unit not in moments.DATE_UNITS):
                known = [u for u, w in moments.UNITS.items() if p.kind == "unit" or w in moments.DATE_UNITS]
                raise moments.BadFormat(f"{value!r} is no unit; one of {', '.join(known)}")
            return unit
    return value
