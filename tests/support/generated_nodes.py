"""The fields of generated nodes: for tables that fit a node type, a draw of what the node does with them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hypothesis import strategies as st

from headrace.nodes.examples import Table
from headrace.plan.expr import Constant
from headrace.plan.types import BIGINT, DOUBLE, STRING, Decimal, Field, Type
from tests.support.generated_values import DELIMITERS, NAMES, PATTERNS, POOLS, TYPES, shown
from tests.support.jobs import Json
from tests.support.reference import values
from tests.support.reference_values import Loose, castable, compared_as, is_number, wider

T = TypeVar("T")
_SIGNS = ("EQ", "NE", "GT", "LT", "GTE", "LTE")
_MOST_PAIRS = 150


@dataclass(frozen=True)
class Chance:
    """Draws."""

    draw: st.DrawFn

    def flip(self) -> bool:
        """One of two; true is the rarer word in small examples."""
        return self.draw(st.booleans())

    def pick(self, items: Iterable[T]) -> T:
        """One of them."""
        return self.draw(st.sampled_from(tuple(items)))

    def some(self, items: Iterable[T], *, least: int = 1, most: int = 4) -> list[T]:
        """Some of them, each at most once, in any order."""
        found = tuple(items)
        places = st.lists(st.integers(0, len(found) - 1), min_size=least, max_size=min(most, len(found)), unique=True)
        return [found[i] for i in self.draw(places)] if found else []

    def called(self, name: str) -> str:
        """The name, or the same in another case."""
        return name.swapcase() if self.draw(st.integers(0, 4)) == 4 else name

    def fresh(self, taken: Iterable[str]) -> str:
        """A name that none of these is."""
        gone = {name.lower() for name in taken}
        return self.pick([name for name in (*NAMES, *map("n{}".format, range(9))) if name.lower() not in gone])

    def text_of(self, table: Table, field: Field) -> str:
        """A text that reads as a value of the column: often one that is there."""
        there = [v for v in values(table, field.name) if v is not None and not isinstance(v, Loose)]
        return shown(self.pick((*there, *_pool(field.type))))


def _pool(type_: Type) -> Sequence[Constant]:
    if isinstance(type_, Decimal):
        return (0,) if type_.precision == type_.scale else (0, 1, 5)
    return POOLS[type_]


def firm(table: Table) -> list[Field]:
    """The columns whose values are the same whatever the order of addition was."""
    return [f for f in table.schema if not any(isinstance(v, Loose) for v in values(table, f.name))]


def types_for(field: Field) -> list[Type]:
    """What the column may be cast to; a double has no text that engines agree on."""
    return [t for t in TYPES if castable(field.type, t) and t != field.type and (field.type, t) != (DOUBLE, STRING)]


def define(chance: Chance, table: Table) -> Json:
    """Casts, with new names or without."""
    taken, entries = list(table.schema.names), []
    for f in chance.some(firm(table), most=3):
        name = chance.fresh(taken) if chance.flip() else f.name
        taken.append(name)
        entries.append({"name": chance.called(f.name), "newType": str(chance.pick(types_for(f))), "newName": name})
    return {"defineFieldList": entries}


def select(chance: Chance, table: Table) -> Json:
    """Some of the columns."""
    kept = chance.some(table.schema)
    return {"fieldList": [{"name": chance.called(f.name), "type": str(f.type)} for f in kept]}


def rename(chance: Chance, table: Table) -> Json:
    """New names, or two names swapped."""
    names = table.schema.names
    if len(names) > 1 and chance.flip():
        one, other = chance.some(names, least=2, most=2)
        return {"renameFieldList": [{"name": one, "newName": other}, {"name": other, "newName": one}]}
    old = chance.pick(names)
    return {"renameFieldList": [{"name": chance.called(old), "newName": chance.fresh(names)}]}


def filter_(chance: Chance, table: Table) -> Json:
    """One to three conditions."""
    sure = {f.name for f in firm(table)}
    conditions = []
    for _ in range(chance.pick((1, 2, 3))):
        f = chance.pick(table.schema)
        likes = ("LIKE",) if f.type == STRING else ()
        firm_only = (*_SIGNS, "IN", "NOT_IN", "BETWEEN", *likes) if f.name in sure else ()
        operator = chance.pick((*firm_only, "IS_NULL", "IS_NOT_NULL"))
        conditions.append({"name": chance.called(f.name), "operator": operator, **_against(chance, operator, table, f)})
    return {"filterType": chance.pick(("AND", "OR")), "filterConditionList": conditions}


def _against(chance: Chance, operator: str, table: Table, field: Field) -> Json:
    match operator:
        case "IS_NULL" | "IS_NOT_NULL":
            return {}
        case "LIKE":
            return {"value": chance.pick(PATTERNS)}
        case "BETWEEN":
            return {"values": [chance.text_of(table, field) for _ in range(2)]}
        case "IN" | "NOT_IN":
            return {"values": [chance.text_of(table, field) for _ in range(chance.pick((1, 2, 3)))]}
        case _:
            return {"value": chance.text_of(table, field)}


def aggregate(chance: Chance, table: Table) -> Json:
    """Zero to two groups, one to three results."""
    groups = chance.some(firm(table), least=0, most=2)
    taken, results = [g.name for g in groups], []
    for _ in range(chance.pick((1, 2, 3))):
        f = chance.pick(table.schema)
        sure = any(f.name == other.name for other in firm(table))
        function = chance.pick(_functions(f.type, sure=sure))
        name = chance.fresh(taken)
        taken.append(name)
        whole = function == "COUNT" and chance.flip()
        results.append({"name": "*" if whole else chance.called(f.name), "ResultName": name, "function": function})
    return {"groupByList": [chance.called(g.name) for g in groups], "aggregateFieldList": results}


def _functions(type_: Type, *, sure: bool) -> list[str]:
    """A sum that may run over its type fails the run, which has tests of its own: it is not drawn."""
    roomy = type_ != BIGINT and not (isinstance(type_, Decimal) and type_.precision > 28)
    return [
        *(["COUNT_DISTINCT"] if sure else []),
        "COUNT",
        "MIN",
        "MAX",
        *(["AVG"] if sure and is_number(type_) else []),
        *(["SUM"] if sure and is_number(type_) and roomy else []),
    ]


def drop_duplication(chance: Chance, table: Table) -> Json:
    """Some columns to compare."""
    return {"dropFieldList": [chance.called(name) for name in chance.some(table.schema.names)]}


def drop_null(chance: Chance, table: Table) -> Json:
    """Some columns to look at, or all."""
    names = [chance.called(name) for name in chance.some(table.schema.names, least=0)]
    return {"dropFieldList": names, "dropType": chance.pick(("ANY", "ALL"))}


def fill(chance: Chance, table: Table) -> Json:
    """Values for the gaps of some columns."""
    entries = [
        {"name": chance.called(f.name), "defaultValue": chance.text_of(table, f)} for f in chance.some(table.schema)
    ]
    return {"missingValueFieldList": entries}


def split(chance: Chance, table: Table) -> Json:
    """One to three pieces of a text."""
    taken, new = list(table.schema.names), []
    for _ in range(chance.pick((2, 1, 3))):
        new.append(chance.fresh(taken))
        taken.append(new[-1])
    texts = [f.name for f in table.schema if f.type == STRING]
    return {"fieldName": chance.called(chance.pick(texts)), "delimiter": chance.pick(DELIMITERS), "newFieldList": new}


def join(chance: Chance, left: Table, right: Table) -> Json:
    """A join of any kind on one to three conditions."""
    conditions = []
    for number in range(chance.pick((1, 2, 3))):
        one, other = chance.pick(pairs(left, right))
        how = chance.pick(("AND", "OR")) if number else "HEAD"
        sign = chance.pick(("EQ", *_SIGNS))
        names = {"leftField": chance.called(one.name), "rightField": chance.called(other.name)}
        conditions.append({**names, "joinOperator": sign, "conditionOperator": how})
    prefixes = [p for p in ("right_", "R ", 'q"', "zz_") if _apart(p, left, right)]
    kind = chance.pick(("INNER", "LEFT_OUTER", "RIGHT_OUTER", "FULL_OUTER"))
    return {"joinType": kind, "joinConditionList": conditions, "prefix": chance.pick(prefixes)}


def _apart(prefix: str, left: Table, right: Table) -> bool:
    ours = [name.lower() for name in left.schema.names]
    theirs = [(prefix + n if n.lower() in ours else n).lower() for n in right.schema.names]
    return len({*ours, *theirs}) == len(ours) + len(theirs)


def pairs(left: Table, right: Table) -> list[tuple[Field, Field]]:
    """The columns of both sides that may be compared."""
    return [(a, b) for a in firm(left) for b in firm(right) if compared_as(a.type, b.type)]


def _joinable(left: Table, right: Table) -> bool:
    few = len(left.rows) * len(right.rows) <= _MOST_PAIRS and len(left.schema) + len(right.schema) <= 12
    return few and _apart("zz_", left, right) and bool(pairs(left, right))


def _unitable(first: Table, second: Table) -> bool:
    if {f.name.lower() for f in first.schema} != {f.name.lower() for f in second.schema}:
        return False
    return all(wider(f.type, second.schema[f.name].type) for f in first.schema)


def _has_text(table: Table) -> bool:
    return any(f.type == STRING for f in table.schema)


def _all_firm(table: Table) -> bool:
    return len(firm(table)) == len(table.schema)


def union(chance: Chance, first: Table, second: Table) -> Json:
    """All rows, or each once."""
    both = _all_firm(first) and _all_firm(second)
    return {"unionType": chance.pick(("ALL", "DISTINCT") if both else ("ALL",))}


OVER_ONE: Mapping[str, tuple[Callable[[Table], bool], Callable[[Chance, Table], Json]]] = {
    "TRANSFORM_FILTER": (lambda table: True, filter_),
    "TRANSFORM_DEFINE": (lambda table: bool(firm(table)), define),
    "TRANSFORM_AGGREGATE": (lambda table: True, aggregate),
    "TRANSFORM_SELECT": (lambda table: True, select),
    "TRANSFORM_RENAME": (lambda table: True, rename),
    "TRANSFORM_DROP_DUPLICATION": (_all_firm, drop_duplication),
    "TRANSFORM_DROP_NULL": (lambda table: True, drop_null),
    "TRANSFORM_FILL_MISSING_VALUES": (lambda table: True, fill),
    "TRANSFORM_SPLIT_FIELD": (_has_text, split),
}
OVER_TWO: Mapping[str, tuple[Callable[[Table, Table], bool], Callable[[Chance, Table, Table], Json]]] = {
    "TRANSFORM_JOIN": (_joinable, join),
    "TRANSFORM_UNION": (_unitable, union),
}
