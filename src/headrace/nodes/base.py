"""What a node type is made of.

A node type is one file with one class: its fields are the wire form, its docstrings and examples the documentation,
`plan()` the meaning. Validation of a field by itself is Pydantic's; what depends on the columns that arrive is found
by `plan()`, which reports all that it finds, never only the first.
"""

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field as Described

from headrace.nodes.examples import Example, Table
from headrace.nodes.wire import FieldSpec, Fillable, Flag, Whole, Widget, Wire
from headrace.plan.ops import Op
from headrace.plan.types import Field, Schema, repeated

__all__ = [
    "Category", "Described", "Example", "Fault", "FieldSpec", "Fillable", "Flag", "Node", "NodeError", "Table", "Whole",
    "Widget", "Wire", "column", "each", "nearest", "no_repeats",
]  # fmt: skip

_MOST_KNOWN = 500
_MOST_FAULTS = 100
_MOST_CHARACTERS = 200

Category = Literal["SOURCE", "TRANSFORM", "TARGET"]
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not fit, with its place inside the node."""

    message: str
    field: str = ""
    hint: str = ""
    code: str = "bad-field"


class NodeError(ValueError):
    """A node does not fit what arrives from its parents. Holds every fault that was found."""

    def __init__(self, message: str, *, field: str = "", hint: str = "", code: str = "bad-field") -> None:
        super().__init__(message)
        self.faults: tuple[Fault, ...] = (Fault(message, field, hint, code),)

    @classmethod
    def of(cls, faults: Sequence[Fault]) -> "NodeError":
        """One error for many faults."""
        error = cls("; ".join(fault.message for fault in faults))
        error.faults = tuple(faults)
        return error

    def within(self, path: str) -> "NodeError":
        """The same, with its places put under `path`."""
        return self.of([replace(f, field=f"{path}.{f.field}" if f.field else path) for f in self.faults])


class Node(Wire):
    """A node of a job.

    `runs` is False for a type that can be checked, stored and shown, while no engine can run it yet.
    """

    category: ClassVar[Category]
    group: ClassVar[str]
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    examples: ClassVar[tuple[Example, ...]] = ()
    runs: ClassVar[bool] = True

    type: Annotated[str, Described(description="The word of its node type.")]
    id: Annotated[Whole, Described(description="A number that no other node of the job has.")]
    name: Annotated[str, Described(min_length=1, max_length=100, description="What people call it.")]
    parent_node_ids: Annotated[
        tuple[Whole, ...], Described(description="The nodes whose rows it reads; a source has none.")
    ]

    @classmethod
    def is_concrete(cls) -> bool:
        """Whether this is a type of its own, with a `type` word, and no base for others."""
        return hasattr(cls.model_fields["type"].annotation, "__args__")

    @classmethod
    def type_word(cls) -> str:
        """The word that stands in `type`."""
        return str(cls.model_fields["type"].annotation.__args__[0])  # type: ignore[union-attr]  # a Literal of one word

    def plan(self, *parents: Op) -> Op:
        """What the node means, over what its parents mean. Raises NodeError with all that does not fit."""
        raise NotImplementedError

    def warnings(self, *parents: Op) -> tuple[Fault, ...]:
        """What is allowed but worth telling, once `plan` has found no fault."""
        del parents
        return ()


def nearest(word: str, words: Iterable[str]) -> str:
    """A hint that names what was probably meant, or all that there is when nothing is near and the list is short.

    Among very many words nothing is looked for: a body of many faults would keep a processor busy for minutes.
    """
    known = list(words)
    if len(known) > _MOST_KNOWN or len(word) > _MOST_CHARACTERS:
        return ""
    by_case = {w.lower(): w for w in reversed(known)}
    if near := difflib.get_close_matches(word.lower(), by_case, n=3, cutoff=0.6):
        return "did you mean " + " or ".join(repr(by_case[n]) for n in near) + "?"
    listed = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    return f"there is {listed}" if known else "there is none"


def column(schema: Schema, name: str, *, field: str) -> Field:
    """The column of that name. Raises NodeError that names the nearest ones."""
    found = schema.find(name)
    if found is None:
        raise NodeError(f"no column {name!r}", field=field, hint=nearest(name, schema.names), code="unknown-column")
    return found


def each(items: Iterable[T], do: Callable[[T], R], *, field: str) -> tuple[R, ...]:
    """`do` for every item; the faults of the items in one NodeError, each under `field[i]`, up to a hundred."""
    done: list[R] = []
    faults: list[Fault] = []
    for index, item in enumerate(items):
        if len(faults) >= _MOST_FAULTS:
            break
        try:
            done.append(do(item))
        except NodeError as error:
            faults.extend(error.within(f"{field}[{index}]").faults)
    if faults:
        raise NodeError.of(faults)
    return tuple(done)


def no_repeats(names: Iterable[str], *, field: str, hint: str = "") -> None:
    """Raises NodeError when two names are the same but for case."""
    if twice := repeated(names):
        listed = ", ".join(map(repr, twice))
        raise NodeError(
            f"{listed} stands twice", field=field, hint=hint or "names differ by more than case", code="repeated-column"
        )
