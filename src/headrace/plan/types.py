"""Column types, fields and schemas.

The names are those of the vendor's `Type` list (API reference, section 8.1), written in lower case and read in any
case. `datetime` is read as `timestamp`; a bare `decimal` is decimal(10,0), as in Spark.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

ScalarName = Literal[
    "void", "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "string",
    "date", "timestamp", "timestampwithtimezone", "binary",
]  # fmt: skip
INTEGERS = ("tinyint", "smallint", "int", "bigint")
FRACTIONS = ("float", "double")
MAX_PRECISION = 38


@dataclass(frozen=True, slots=True)
class Scalar:
    """A type that its name says whole."""

    name: ScalarName

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Decimal:
    """An exact number of `precision` digits, `scale` of them behind the point."""

    precision: int
    scale: int

    def __str__(self) -> str:
        return f"decimal({self.precision},{self.scale})"


@dataclass(frozen=True, slots=True)
class Characters:
    """Text of at most `length` characters: `char(n)` or `varchar(n)`."""

    name: Literal["char", "varchar"]
    length: int

    def __str__(self) -> str:
        return f"{self.name}({self.length})"


@dataclass(frozen=True, slots=True)
class Array:
    """A list of one element type."""

    element: "Type"

    def __str__(self) -> str:
        return f"array<{self.element}>"


@dataclass(frozen=True, slots=True)
class Map:
    """Values by key."""

    key: "Type"
    value: "Type"

    def __str__(self) -> str:
        return f"map<{self.key},{self.value}>"


@dataclass(frozen=True, slots=True)
class Struct:
    """Named fields inside one column."""

    fields: tuple["Field", ...]

    def __str__(self) -> str:
        return f"struct<{','.join(f'{f.name}:{f.type}' for f in self.fields)}>"


Type = Scalar | Decimal | Characters | Array | Map | Struct

VOID, BOOLEAN, STRING, BINARY = Scalar("void"), Scalar("boolean"), Scalar("string"), Scalar("binary")
TINYINT, SMALLINT, INT, BIGINT = Scalar("tinyint"), Scalar("smallint"), Scalar("int"), Scalar("bigint")
FLOAT, DOUBLE = Scalar("float"), Scalar("double")
DATE, TIMESTAMP, TIMESTAMP_TZ = Scalar("date"), Scalar("timestamp"), Scalar("timestampwithtimezone")


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its name and its type."""

    name: str
    type: Type


@dataclass(frozen=True)
class Schema:
    """Columns in order. Names are matched without regard to case, as Spark does, and keep their own case."""

    fields: tuple[Field, ...] = ()
    _by_name: dict[str, Field] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {fold(f.name): f for f in self.fields})

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def find(self, name: str) -> Field | None:
        """The field of that name in any case, or None."""
        return self._by_name.get(fold(name))

    def __getitem__(self, name: str) -> Field:
        return self._by_name[fold(name)]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(f.name for f in self.fields)

    def only(self, names: Iterable[str]) -> "Schema":
        """The fields of these names, in this schema's order."""
        wanted = {fold(name) for name in names}
        return Schema(tuple(f for f in self.fields if fold(f.name) in wanted))


def fold(name: str) -> str:
    """The form under which two column names are the same."""
    return name.lower()


def repeated(names: Iterable[str]) -> list[str]:
    """The names that occur twice, but for case, in order of their second appearance."""
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for name in names:
        if fold(name) in seen:
            twice[name] = None
        seen.add(fold(name))
    return list(twice)


_SPELLINGS = {
    "datetime": "timestamp",
    "integer": "int",
    "long": "bigint",
    "timestamp with time zone": "timestampwithtimezone",
    "timestamp_with_time_zone": "timestampwithtimezone",
}
_ARGUMENTS = re.compile(r"(?P<name>[a-z_ ]+?)\s*(?:\(\s*(?P<first>\d+)\s*(?:,\s*(?P<second>\d+)\s*)?\))?")
NAMES = (*get_args(ScalarName), "datetime", "char", "varchar", "decimal", "array", "map", "struct")


def parse_type(text: str, properties: tuple[Field, ...] = ()) -> Type:
    """The type that `text` names; `properties` are the sub-fields of an array, map or struct.

    Raises ValueError with what is wrong and which names exist.
    """
    match = _ARGUMENTS.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"{text!r} is not a type; one of {', '.join(NAMES)}")
    name = _SPELLINGS.get(match["name"], match["name"])
    first, second = match["first"], match["second"]
    if name == "decimal":
        return _decimal(int(first or 10), int(second or 0))
    if name in ("char", "varchar"):
        return _characters(name, first, second)
    if first is not None:
        raise ValueError(f"{name} takes no arguments, so {text!r} is not a type")
    if name in ("array", "map", "struct"):
        return _nested(name, properties)
    if name == "uniontype":
        raise ValueError("uniontype has no counterpart in Spark; use a struct with a field for each kind")
    if name not in get_args(ScalarName):
        raise ValueError(f"{text!r} is not a type; one of {', '.join(NAMES)}")
    return Scalar(name)  # type: ignore[arg-type]  # membership was tested in the line above


def _decimal(precision: int, scale: int) -> Decimal:
    if not 1 <= precision <= MAX_PRECISION or scale > precision:
        raise ValueError(f"decimal({precision},{scale}): precision is 1 to {MAX_PRECISION}, scale 0 to the precision")
    return Decimal(precision, scale)


def _characters(name: str, first: str | None, second: str | None) -> Type:
    if second is not None:
        raise ValueError(f"{name} takes one length")
    if first is None:
        return STRING
    if int(first) < 1:
        raise ValueError(f"{name}({first}): the length is at least 1")
    return Characters("char" if name == "char" else "varchar", int(first))


def _nested(name: str, properties: tuple[Field, ...]) -> Type:
    if name == "struct" and properties:
        if twice := repeated(f.name for f in properties):
            raise ValueError(f"struct names {twice[0]!r} twice in its properties")
        return Struct(properties)
    if name == "array" and len(properties) == 1:
        return Array(properties[0].type)
    if name == "map" and len(properties) == 2:
        return Map(properties[0].type, properties[1].type)
    needs = {"array": "one entry, its element", "map": "two entries, key and value", "struct": "its fields"}[name]
    raise ValueError(f"{name} needs {needs}, in properties; it has {len(properties)}")
