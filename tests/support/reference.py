"""What a job means, in plain Python: its nodes, as they stand on the wire, over lists of rows.

A second reading of the same pages, for jobs over boolean, int, bigint, double, decimal, string, date and timestamp. It
shares neither the plan nor an engine with the product, so that a fault has to be made twice to stay unseen. The jobs
are valid ones: nothing is checked here.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.nodes.examples import Table
from headrace.plan.expr import Constant
from headrace.plan.types import BIGINT, DOUBLE, STRING, Decimal, Field, Schema, Type, parse_type
from tests.support.jobs import Json
from tests.support.reference_values import Loose, aggregate, cast, compared_as, holds, like, rank, same, wider

Row = tuple[Constant, ...]
Bad = Counter[str]
"""Values that became null, by column, in lower case."""


@dataclass(frozen=True)
class Meant:
    """What one node gives, and the values that became null in it."""

    table: Table
    bad: Bad


def meant(node: Json, parents: Sequence[Table]) -> Meant:
    """What a node makes of its parents' rows; a source's parent is what it stores."""
    bad: Bad = Counter()
    return Meant(_NODES[node["type"]](node, parents, bad), bad)


def place(table: Table, name: str) -> int:
    """Where the column of that name stands, in any case."""
    return [f.name.lower() for f in table.schema].index(name.lower())


def values(table: Table, name: str) -> list[Constant]:
    """A column."""
    index = place(table, name)
    return [row[index] for row in table.rows]


def _of(fields: Iterable[Field], columns: Sequence[Sequence[Constant]], count: int) -> Table:
    rows = zip(*columns, strict=True) if columns else (() for _ in range(count))
    return Table(Schema(tuple(fields)), tuple(rows))


def _cast_all(found: Sequence[Constant], source: Type, target: Type, bad: Bad, name: str) -> list[Constant]:
    made = [cast(value, source, target) for value in found]
    bad[name.lower()] += sum(new is None and old is not None for old, new in zip(found, made, strict=True))
    return made


def _named(node: Json, parents: Sequence[Table], bad: Bad) -> Table:
    """The listed fields by name, cast to their types: what a source reads, a selection keeps and a target writes."""
    (stored,) = parents
    fields = [Field(f["name"], parse_type(f["type"])) for f in node["fieldList"]]
    columns = []
    for field in fields:
        own = stored.schema.fields[place(stored, field.name)]
        finite = node["type"] == "TARGET_OBS" and node["dataType"] == "JSON" and field.type == DOUBLE
        found, counts = values(stored, field.name), Counter[str]()
        made = _cast_all(found, own.type, field.type, counts, own.name)
        if finite:
            made = [v if isinstance(v, float) and abs(v) < float("inf") else None for v in made]
            counts = Counter({own.name.lower(): sum(v is None for v in made) - sum(v is None for v in found)})
        bad.update(counts)
        columns.append(made)
    return _of(fields, columns, len(stored.rows))


def merged(current: Table, incoming: Table, keys: Sequence[str]) -> Table:
    """What a MERGE leaves: the incoming rows, and those that were there and have other keys."""

    def key(row: Row) -> tuple[Any, ...]:
        return tuple(rank(row[place(incoming, name)]) for name in keys)

    new = {key(row) for row in incoming.rows}
    kept = tuple(row for row in current.rows if key(row) not in new)
    return Table(incoming.schema, (*incoming.rows, *kept))


def _define(node: Json, parents: Sequence[Table], bad: Bad) -> Table:
    (parent,) = parents
    entries = {entry["name"].lower(): entry for entry in node["defineFieldList"]}
    fields, columns = [], []
    for field in parent.schema:
        entry = entries.get(field.name.lower())
        target = parse_type(entry["newType"]) if entry else field.type
        fields.append(Field(entry["newName"] if entry else field.name, target))
        columns.append(_cast_all(values(parent, field.name), field.type, target, bad, field.name))
    return _of(fields, columns, len(parent.rows))


def _rename(node: Json, parents: Sequence[Table], bad: Bad) -> Table:
    (parent,) = parents
    names = {entry["name"].lower(): entry["newName"] for entry in node["renameFieldList"]}
    fields = tuple(Field(names.get(f.name.lower(), f.name), f.type) for f in parent.schema)
    return Table(Schema(fields), parent.rows)


def _filter(node: Json, parents: Sequence[Table], bad: Bad) -> Table:
    (parent,) = parents
    conditions = node["filterConditionList"]
    enough = all if node["filterType"] == "AND" else any
    kept = [row for row in parent.rows if enough(_passes(c, row[place(parent, c["name"])], parent) for c in conditions)]
    return Table(parent.schema, tuple(kept))


def _passes(condition: Json, value: Constant, table: Table) -> bool:
    operator = condition["operator"]
    if operator == "IS_NULL":
        return value is None
    if value is None:
        return False
    type_ = table.schema[condition["name"]].type
    others = [cast(text, STRING, type_) for text in condition.get("values", [condition.get("value")])]
    match operator:
        case "IS_NOT_NULL":
            return True
        case "IN":
            return any(holds("EQ", value, other) for other in others)
        case "NOT_IN":
            return not any(holds("EQ", value, other) for other in others)
        case "BETWEEN":
            return holds("GTE", value, others[0]) and holds("LTE", value, others[1])
        case "LIKE":
            return like(str(value), condition["value"])
        case sign:
            return holds(sign, value, others[0])


def _drop_null(node: Json, parents: Sequence[Table], bad: Bad) -> Table:
    (parent,) = parents
    names = node.get("dropFieldList") or parent.schema.names
    too_few = any if node.get("dropType", "ANY") == "ANY" else all
    places = [place(parent, name) for name in names]
    return Table(parent.schema, tuple(row for row in parent.rows if not too_few(row[i] is None for i in places)))


def _fill(node: Json, parents: Sequence[Table], bad: Bad) -> Table:
    (parent,) = parents
    defaults = {entry["name"].lower(): entry["defaultValue"] for entry in node["missingValueFieldList"]}
    columns = []
    for field in parent.schema:
        found = values(parent, field.name)
        if field.name.lower() in defaults:
            default = cast(defaults[field.name.lower()], STRING, field.type)
            found = [default if v is None or rank(v)[0] == 2 else v for v in found]
        columns.append(found)
    return _of(parent.schema, columns, len(parent.rows))


def _split(node: Json, parents: Sequence[Table], bad: Bad) -> Table:
    (parent,) = parents
    names = node["newFieldList"]
    rows = []
    for row in parent.rows:
        whole = row[place(parent, node["fieldName"])]
        pieces: list[Constant] = []
        if isinstance(whole, str):
            pieces += whole.split(node["delimiter"], len(names) - 1)
        rows.append((*row, *pieces, *[None] * (len(names) - len(pieces))))
    return Table(Schema((*parent.schema, *(Field(name, STRING) for name in names))), tuple(rows))


def _drop_duplication(node: Json, parents: Sequence[Table], bad: Bad) -> Table:
    (parent,) = parents
    places = [place(parent, name) for name in node["dropFieldList"]]
    smallest: dict[Any, Row] = {}
    for row in sorted(parent.rows, key=lambda row: [rank(value) for value in row]):
        smallest.setdefault(tuple(rank(row[i]) for i in places), row)
    return Table(parent.schema, tuple(smallest.values()))


def _aggregate(node: Json, parents: Sequence[Table], bad: Bad) -> Table:
    (parent,) = parents
    groups = [place(parent, name) for name in node["groupByList"]]
    members: dict[Any, list[Row]] = {} if groups else {(): []}
    for row in parent.rows:
        members.setdefault(tuple(rank(row[i]) for i in groups), []).append(row)
    fields = [parent.schema.fields[i] for i in groups]
    made: list[list[Constant]] = [[found[0][i] for i in groups] for found in members.values()]
    for entry in node["aggregateFieldList"]:
        fields.append(Field(entry["ResultName"], result_type(entry, parent)))
        index = None if entry["name"] == "*" else place(parent, entry["name"])
        for one, found in zip(made, members.values(), strict=True):
            one.append(aggregate(entry["function"], [1 if index is None else row[index] for row in found]))
    return Table(Schema(tuple(fields)), tuple(map(tuple, made)))


def result_type(entry: Json, parent: Table) -> Type:
    """The type of an aggregate."""
    match entry["function"]:
        case "COUNT" | "COUNT_DISTINCT":
            return BIGINT
        case "AVG":
            return DOUBLE
        case function:
            own = parent.schema[entry["name"]].type
            if function != "SUM" or own == DOUBLE:
                return own
            return Decimal(min(38, own.precision + 10), own.scale) if isinstance(own, Decimal) else BIGINT


def _union(node: Json, parents: Sequence[Table], bad: Bad) -> Table:
    first, *others = parents
    fields = []
    for field in first.schema:
        common: Type | None = field.type
        for other in others:
            assert common is not None
            common = wider(common, other.schema[field.name].type)
        assert common is not None
        fields.append(Field(field.name, common))
    rows: list[Row] = []
    for parent in parents:
        own = [parent.schema[f.name].type for f in fields]
        places = [place(parent, f.name) for f in fields]
        casts = list(zip(places, own, fields, strict=True))
        rows += [tuple(cast(row[i], t, f.type) for i, t, f in casts) for row in parent.rows]
    if node["unionType"] == "DISTINCT":
        rows = list({tuple(map(rank, row)): row for row in rows}.values())
    return Table(Schema(tuple(fields)), tuple(rows))


def _join(node: Json, parents: Sequence[Table], bad: Bad) -> Table:
    by_id = dict(zip(node["parentNodeIds"], parents, strict=True))
    left, right = by_id[node["leftNodeId"]], by_id[node["rightNodeId"]]
    pairs = [(a, b) for a in range(len(left.rows)) for b in range(len(right.rows)) if _pair(node, a, b, left, right)]
    rows = [(*left.rows[a], *right.rows[b]) for a, b in pairs]
    if node["joinType"] in ("LEFT_OUTER", "FULL_OUTER"):
        alone = [row for a, row in enumerate(left.rows) if a not in {pair[0] for pair in pairs}]
        rows += [(*row, *[None] * len(right.schema)) for row in alone]
    if node["joinType"] in ("RIGHT_OUTER", "FULL_OUTER"):
        alone = [row for b, row in enumerate(right.rows) if b not in {pair[1] for pair in pairs}]
        rows += [(*[None] * len(left.schema), *row) for row in alone]
    return Table(Schema((*left.schema, *(Field(n, f.type) for n, f in joined(node, left, right)))), tuple(rows))


def joined(node: Json, left: Table, right: Table) -> list[tuple[str, Field]]:
    """The columns of the right side: their new names and what they were."""
    taken = {f.name.lower() for f in left.schema}
    prefix = node.get("prefix", "right_")
    return [(prefix + f.name if f.name.lower() in taken else f.name, f) for f in right.schema]


def _pair(node: Json, a: int, b: int, left: Table, right: Table) -> bool:
    whole = False
    for c in node["joinConditionList"]:
        ours, theirs = left.schema[c["leftField"]].type, right.schema[c["rightField"]].type
        common = compared_as(ours, theirs)
        assert common is not None
        x = cast(left.rows[a][place(left, c["leftField"])], ours, common)
        y = cast(right.rows[b][place(right, c["rightField"])], theirs, common)
        test = holds(c["joinOperator"], x, y)
        whole = whole and test if c["conditionOperator"] == "AND" else whole or test
    return whole


_NODES: Mapping[str, Callable[[Json, Sequence[Table], Bad], Table]] = {
    "SOURCE_OBS": _named,
    "TRANSFORM_SELECT": _named,
    "TARGET_OBS": _named,
    "TRANSFORM_DEFINE": _define,
    "TRANSFORM_RENAME": _rename,
    "TRANSFORM_FILTER": _filter,
    "TRANSFORM_DROP_NULL": _drop_null,
    "TRANSFORM_FILL_MISSING_VALUES": _fill,
    "TRANSFORM_SPLIT_FIELD": _split,
    "TRANSFORM_DROP_DUPLICATION": _drop_duplication,
    "TRANSFORM_AGGREGATE": _aggregate,
    "TRANSFORM_UNION": _union,
    "TRANSFORM_JOIN": _join,
}


def differences(wanted: Table, got: Iterable[Sequence[Any]]) -> list[str]:
    """What two sets of rows do not share, in words; nothing when they are the same but for order."""
    firm = [i for i in range(len(wanted.schema)) if not any(isinstance(row[i], Loose) for row in wanted.rows)]
    waiting: dict[Any, list[Row]] = {}
    for row in wanted.rows:
        waiting.setdefault(_key(row, firm), []).append(row)
    told = []
    for found in got:
        likely = waiting.get(_key(found, firm), [])
        match = next((w for w in likely if len(w) == len(found) and all(map(same, w, found))), None)
        if match is None:
            told.append(f"not meant: {tuple(found)!r}")
        else:
            likely.remove(match)
    return told + [f"missing: {row!r}" for rows in waiting.values() for row in rows]


def _key(row: Sequence[Any], firm: Sequence[int]) -> Any:
    return tuple(rank(row[i]) for i in firm if i < len(row))
