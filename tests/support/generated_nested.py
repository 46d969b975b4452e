"""Nested columns made by chance: a declared type, files that hold it in types of their own, and what is read of them.

What a value is in its declared type is worked out here in plain Python. Inside are whole numbers and texts of them
alone: what a text means is the subject of other tests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow
from hypothesis import strategies as st

from headrace.plan.types import BIGINT, INT, STRING, Array, Field, Map, Struct, Type
from tests.support.jobs import Json

PLAIN: tuple[Type, ...] = (INT, BIGINT, STRING)
_ARROW: Mapping[Type, Any] = {INT: pyarrow.int32(), BIGINT: pyarrow.int64(), STRING: pyarrow.string()}
_NUMBERS: Mapping[Type, tuple[int, ...]] = {INT: (0, 1, -7, 2**31 - 1), BIGINT: (0, 2, 2**31, -(2**63))}
_TEXTS = ("1", "3", "03", "-7", "3000000000", "x", "가")
_KEYS = ("3", "03", "4", "3", "03", "x")
"""Often two that become one."""
_LIMITS: Mapping[Type, int] = {INT: 2**31, BIGINT: 2**63}
_MEMBERS = ("x", "Y", "a b", "가")


class Misfit(Exception):
    """A part of a value that has no place in the declared type."""


@dataclass(frozen=True)
class Files:
    """A column as it is declared, and each file's own type and values of it."""

    declared: Type
    files: tuple[tuple[Type, tuple[Any, ...]], ...]

    def read(self) -> list[Any]:
        """What a source gives of all files, one after another; None for what is missing or does not fit."""
        return [read(value, stored, self.declared) for stored, values in self.files for value in values]

    def misfits(self) -> int:
        """How many values do not fit."""
        given = [value for _, values in self.files for value in values]
        return sum(new is None and old is not None for old, new in zip(given, self.read(), strict=True))


def read(value: Any, stored: Type, declared: Type) -> Any:
    """A stored value in the declared type, None as a whole where a part does not fit."""
    try:
        return _cast(value, stored, declared)
    except Misfit:
        return None


def _cast(value: Any, stored: Type, declared: Type) -> Any:
    if value is None:
        return None
    match stored, declared:
        case Array(inner), Array(wanted):
            return [_cast(element, inner, wanted) for element in value]
        case Map(key, inner), Map(wanted_key, wanted):
            made = [(_cast(k, key, wanted_key), _cast(v, inner, wanted)) for k, v in value]
            if len({k for k, _ in made}) < len(made):
                raise Misfit
            return made
        case Struct(fields), Struct(wanted_fields):
            own = {f.name.lower(): f for f in fields}
            if not own.keys() & {f.name.lower() for f in wanted_fields}:
                raise Misfit
            return {f.name: _member(value, own.get(f.name.lower()), f.type) for f in wanted_fields}
        case _:
            return _plain(value, declared)


def _member(value: dict[str, Any], own: Field | None, wanted: Type) -> Any:
    return None if own is None else _cast(value[own.name], own.type, wanted)


def _plain(value: Any, declared: Type) -> Any:
    if declared == STRING:
        return str(value)
    try:
        number = int(value)
    except ValueError:
        raise Misfit from None
    limit = _LIMITS[declared]
    if not -limit <= number < limit:
        raise Misfit
    return number


def arrow(type_: Type) -> Any:
    """The type of Arrow."""
    match type_:
        case Array(element):
            return pyarrow.list_(arrow(element))
        case Map(key, value):
            return pyarrow.map_(arrow(key), arrow(value))
        case Struct(fields):
            return pyarrow.struct([(f.name, arrow(f.type)) for f in fields])
        case _:
            return _ARROW[type_]


def wire(name: str, type_: Type) -> Json:
    """The field as it stands in a node."""
    match type_:
        case Array(element):
            return {"name": name, "type": "array", "properties": [wire("element", element)]}
        case Map(key, value):
            return {"name": name, "type": "map", "properties": [wire("key", key), wire("value", value)]}
        case Struct(fields):
            return {"name": name, "type": "struct", "properties": [wire(f.name, f.type) for f in fields]}
        case _:
            return {"name": name, "type": str(type_)}


@st.composite
def files(draw: st.DrawFn) -> Files:
    """A column of one to three files."""
    declared = draw(_nested(2))
    made = []
    for _ in range(draw(st.integers(1, 3))):
        stored = draw(_like(declared))
        made.append((stored, tuple(draw(st.lists(_values(stored), min_size=2, max_size=8)))))
    return Files(declared, tuple(made))


def _nested(depth: int) -> st.SearchStrategy[Type]:
    inner = st.sampled_from(PLAIN) if depth == 1 else st.one_of(st.sampled_from(PLAIN), _nested(depth - 1))
    names = st.lists(st.sampled_from(_MEMBERS), min_size=1, max_size=3, unique=True)
    structs = names.flatmap(lambda found: _structs(found, [inner] * len(found)))
    return st.one_of(inner.map(Array), st.builds(Map, st.sampled_from(PLAIN), inner), structs)


def _structs(names: Sequence[str], types: Sequence[st.SearchStrategy[Type]]) -> st.SearchStrategy[Type]:
    return st.tuples(*types).map(lambda made: Struct(tuple(map(Field, names, made))))


def _like(type_: Type) -> st.SearchStrategy[Type]:
    """Types of the same shape: other plain types inside, members in another order, fewer or more."""
    match type_:
        case Array(element):
            return _like(element).map(Array)
        case Map(_, value):
            return st.builds(Map, st.sampled_from((STRING, STRING, *PLAIN)), _like(value))
        case Struct(fields):
            some = st.lists(st.sampled_from(fields), min_size=1, max_size=len(fields), unique=True)
            made = some.flatmap(lambda kept: _structs([f.name for f in kept], [_like(f.type) for f in kept]))
            more = Field("more", INT)
            return st.one_of(made, made.map(lambda s: Struct((more, *s.fields)) if isinstance(s, Struct) else s))
        case _:
            return st.sampled_from(PLAIN)


def _values(type_: Type) -> st.SearchStrategy[Any]:
    return st.one_of(_present(type_), st.none())


def _present(type_: Type) -> st.SearchStrategy[Any]:
    match type_:
        case Array(element):
            return st.lists(_values(element), max_size=3)
        case Map(key, value):
            pairs = st.tuples(st.sampled_from(_KEYS) if key == STRING else _present(key), _values(value))
            return st.lists(pairs, max_size=3, unique_by=lambda pair: pair[0])
        case Struct(fields):
            return st.fixed_dictionaries({f.name: _values(f.type) for f in fields})
        case _:
            return st.sampled_from(_TEXTS if type_ == STRING else _NUMBERS[type_])
