"""Jobs made by chance: sound graphs of nodes over data that is near to trouble.

A job is drawn node by node, and what each node gives is worked out at once by the reference. So only columns that
exist, types that fit and values that occur are drawn: nothing is drawn and then thrown away. A column of sums or
averages of floating-point numbers is never compared, cast or grouped by, since its last digits are anybody's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from hypothesis import strategies as st

from headrace.nodes.examples import Table
from headrace.plan.expr import Constant
from headrace.plan.types import STRING, Decimal, Field, Schema, Type, parse_type
from tests.support import reference
from tests.support.generated_nodes import OVER_ONE, OVER_TWO, Chance, firm, types_for
from tests.support.generated_values import BAD_TEXTS, NAMES, POOLS, TYPES, shown
from tests.support.jobs import Json, node
from tests.support.reference_use import counted, used
from tests.support.reference_values import wider

T = TypeVar("T")
Format = Literal["CSV", "JSON", "PARQUET"]
_MOST_ROWS = 8
_OFTEN = ("TRANSFORM_FILTER", "TRANSFORM_AGGREGATE")
_Fitting = dict[str, list[tuple[int, ...]]]


@dataclass(frozen=True, repr=False)
class Job:
    """A job, what its sources store, and what every node should give and count."""

    nodes: tuple[Json, ...]
    stored: Mapping[int, Table]
    tables: Mapping[int, Table]
    bad: Mapping[int, Mapping[str, int]]

    def __repr__(self) -> str:
        lines = [str(n) for n in self.nodes]
        lines += [f"{n} stores {[f'{f.name} {f.type}' for f in t.schema]}: {t.rows}" for n, t in self.stored.items()]
        return "\n".join(("Job:", *lines))

    def _repr_pretty_(self, printer: Any, cycle: object) -> None:
        """How hypothesis shows an example: as short as it can be read."""
        del cycle
        printer.text(repr(self))

    @property
    def sources(self) -> tuple[Json, ...]:
        """The nodes that read."""
        return tuple(n for n in self.nodes if n["type"] == "SOURCE_OBS")

    @property
    def targets(self) -> tuple[Json, ...]:
        """The nodes that write."""
        return tuple(n for n in self.nodes if n["type"] == "TARGET_OBS")

    def casts(self) -> Iterator[tuple[Type, Type, list[Constant]]]:
        """What is cast by nodes that say so: the type, the new type, the values."""
        for made in self.nodes:
            written = made["fieldList"] if made["type"] == "TARGET_OBS" else ()
            wanted = [(f["name"], f["type"]) for f in written]
            wanted += [(d["name"], d["newType"]) for d in made.get("defineFieldList", ())]
            for name, target in wanted:
                parent = self.tables[made["parentNodeIds"][0]]
                yield parent.schema[name].type, parse_type(target), reference.values(parent, name)


@st.composite
def jobs(draw: st.DrawFn, *, files: bool, targets: Sequence[Format] = ("PARQUET",)) -> Job:
    """A job over rows of their own types, or over files whose texts need not parse."""
    sketch = _Sketch(Chance(draw))
    for _ in range(draw(st.integers(1, 3))):
        sketch.source(draw(st.sampled_from(("CSV", "JSON", "PARQUET"))) if files else "PARQUET")
    for _ in range(draw(st.integers(1, 6))):
        sketch.transform()
    readable = tuple(sketch.tables)
    for _ in range(draw(st.integers(1, 2))):
        sketch.target(draw(st.sampled_from(tuple(targets))), readable)
    return sketch.job()


class _Sketch:
    """A job that is being drawn."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._nodes: list[Json] = []
        self._stored: dict[int, Table] = {}
        self._bad: dict[int, reference.Bad] = {}
        self.tables: dict[int, Table] = {}

    def job(self) -> Job:
        """The job so far, with the counts of what it uses."""
        use = used(self._nodes, self.tables)
        bad: dict[int, dict[str, int]] = {}
        for made in self._nodes:
            names = counted(made, use.get(made["id"], set()))
            found = {name: count for name, count in self._bad[made["id"]].items() if count and name in names}
            bad |= {made["id"]: found} if found else {}
        return Job(tuple(self._nodes), self._stored, self.tables, bad)

    def source(self, kind: Format) -> None:
        """A source of some rows; sometimes with the columns of one before, so that both can be united."""
        twin = bool(self.tables) and self._chance.flip()
        fields = self._twin_of(self._chance.pick(self.tables.values()).schema) if twin else self._fields()
        columns = [_values(f.type, by_text=kind != "PARQUET") for f in fields]
        least = self._chance.pick((3, 2, 1, 0))
        rows = self._chance.draw(st.lists(st.tuples(*columns), min_size=least, max_size=_MOST_ROWS))
        rows += rows[: self._chance.pick((0, 1, 2))]
        schema = Schema(tuple(f if kind == "PARQUET" else Field(f.name, STRING) for f in fields))
        stored = Table(schema, tuple(rows))
        made = self._add("SOURCE_OBS", (), stored, **_data(f"in{len(self._nodes) + 1}", fields, kind))
        self._stored[made] = stored

    def _fields(self) -> list[Field]:
        least = self._chance.pick((2, 1, 3))
        names = self._chance.draw(st.lists(st.sampled_from(NAMES), min_size=least, max_size=4, unique_by=str.lower))
        # Text more often: it is what is split and matched, and the one type that no file's text fails to be.
        types = (*TYPES, STRING, STRING, STRING)
        start = len(self._nodes) * 3
        return [Field(name, self._chance.pick(_turned(types, start + i))) for i, name in enumerate(names)]

    def _twin_of(self, schema: Schema) -> list[Field]:
        fields = self._chance.draw(st.permutations(schema.fields))
        wide = [[f.type, *(t for t in TYPES if wider(f.type, t))] for f in fields]
        return [
            Field(self._chance.called(f.name), self._chance.pick(types)) for f, types in zip(fields, wide, strict=True)
        ]

    def transform(self) -> None:
        """A node of any type that fits what is there; the latest nodes first, so that small draws make a chain."""
        latest = [*self.tables.items()][::-1]
        ones: _Fitting = {t: [(n,) for n, table in latest if fits(table)] for t, (fits, _) in OVER_ONE.items()}
        twos: _Fitting = {
            t: [(a, b) for a, left in latest for b, right in latest if a != b and fits(left, right)]
            for t, (fits, _) in OVER_TWO.items()
        }
        fitting = {t: found for t, found in {**ones, **twos}.items() if found}
        types = [t for t in fitting if t in OVER_ONE] + [t for t in fitting if t in OVER_TWO or t in _OFTEN]
        type_ = self._chance.pick(_turned(types, len(self._nodes) * 2))
        parents = self._chance.pick(fitting[type_])
        given = [self.tables[n] for n in parents]
        if type_ in OVER_ONE:
            fields = OVER_ONE[type_][1](self._chance, *given)
        else:
            fields = OVER_TWO[type_][1](self._chance, *given)
        if type_ == "TRANSFORM_JOIN":
            fields |= {"leftNodeId": parents[0], "rightNodeId": parents[1]}
            parents = parents[::-1] if self._chance.flip() else parents
        self._add(type_, parents, **fields)

    def target(self, kind: Format, readable: Sequence[int]) -> None:
        """A node that writes some of the columns of a node, most of them as they are."""
        parent = self._chance.pick(readable[::-1])
        sure = firm(self.tables[parent])
        arriving, fields = self.tables[parent].schema, []
        for f in arriving if self._chance.flip() else self._chance.some(arriving, most=6):
            cast_to = types_for(f) if f in sure and self._chance.draw(st.integers(0, 3)) == 3 else [f.type]
            fields.append(Field(self._chance.called(f.name), self._chance.pick(cast_to)))
        # A reader of JSON takes a number with a fraction as a double: docs/reference/engines.md.
        exact = any(isinstance(f.type, Decimal) and f.type.precision > 15 for f in fields)
        kind = "PARQUET" if exact and kind == "JSON" else kind
        place = _data(f"out{len(self._nodes) + 1}", fields, kind)
        self._add("TARGET_OBS", (parent,), **place, updateType="OVERWRITE")

    def _add(self, type_: str, parents: tuple[int, ...], *stored: Table, **more: object) -> int:
        """The node, and what it gives."""
        made = node(type_, len(self._nodes) + 1, parents, **more)
        means = reference.meant(made, stored or [self.tables[n] for n in parents])
        self._nodes.append(made)
        self.tables[made["id"]], self._bad[made["id"]] = means.table, means.bad
        return int(made["id"])


def _turned(items: Sequence[T], by: int) -> Sequence[T]:
    """The items from another one on: draws favour the first, which so is not always the same."""
    start = by % len(items)
    return [*items[start:], *items[:start]]


def _data(prefix: str, fields: Sequence[Field], kind: Format) -> Json:
    """Where the data of a node lies, and what it is."""
    columns = [{"name": f.name, "type": str(f.type)} for f in fields]
    return {"regionNo": "1", "bucketName": "lake", "prefix": prefix, "dataType": kind, "fieldList": columns}


def _values(type_: Type, *, by_text: bool) -> st.SearchStrategy[Constant]:
    """Values of a type, missing ones among them; as texts they need not parse."""
    pool = POOLS[type_]
    if not by_text:
        return st.sampled_from((pool[0], None, *pool[1:], None))
    texts = [shown(value) for value in pool]
    return st.sampled_from((texts[0], None, *texts[1:], *([] if type_ == STRING else BAD_TEXTS)))
