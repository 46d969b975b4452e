"""Modules over 400 lines and functions over 40 stand in tools/sizes.toml with a reason, and that list only shrinks.

A figure in the list is what the module or function measures today: it may not grow past it, and when it becomes
smaller the figure follows. Tests are asked for the size of their modules alone.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["module", "function"]

LIMITS: dict[Kind, int] = {"module": 400, "function": 40}
MEASURED_WHOLE = ("src", "tools", "benchmarks")
MEASURED_BY_MODULE = ("tests",)
LIST = Path("tools/sizes.toml")


@dataclass(frozen=True, slots=True)
class Size:
    """How long one module or function is; a function's name is `path::Class.function`."""

    kind: Kind
    name: str
    lines: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the reviewed list."""

    kind: Kind
    name: str
    lines: int
    reason: str


def function_sizes(path: str, tree: ast.Module) -> Iterator[Size]:
    """Every function of a module, methods and inner functions too, from its `def` to its last line."""

    def walk(node: ast.AST, outer: str) -> Iterator[Size]:
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    last = child.end_lineno or child.lineno
                    yield Size("function", f"{path}::{outer}{child.name}", last - child.lineno + 1)
                    yield from walk(child, f"{outer}{child.name}.")
                case ast.ClassDef():
                    yield from walk(child, f"{outer}{child.name}.")
                case _:
                    yield from walk(child, outer)

    yield from walk(tree, "")


def sizes(root: Path) -> Iterator[Size]:
    """The size of everything that has a limit, under the root of a repository."""
    for folder in (*MEASURED_WHOLE, *MEASURED_BY_MODULE):
        for file in sorted((root / folder).rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            path = file.relative_to(root).as_posix()
            yield Size("module", path, len(text.splitlines()))
            if folder in MEASURED_WHOLE:
                yield from function_sizes(path, ast.parse(text, path))


def read_list(text: str) -> tuple[Listed, ...]:
    """The reviewed list: `[[module]]` and `[[function]]` tables, each with name, lines and reason."""
    tables = tomllib.loads(text)
    if strange := set(tables) - set(LIMITS):
        raise ValueError(f"{LIST}: no such table: {', '.join(sorted(strange))}")
    return tuple(
        Listed(kind=kind, name=entry["name"], lines=int(entry["lines"]), reason=str(entry.get("reason", "")).strip())
        for kind in LIMITS
        for entry in tables.get(kind, ())
    )


def problems(found: tuple[Size, ...], listed: tuple[Listed, ...]) -> Iterator[str]:
    """What stands against the limits, one sentence each."""
    longest: dict[tuple[Kind, str], int] = {}
    for size in found:  # two functions of one name (a property and its setter) are measured as the longer one
        key = (size.kind, size.name)
        longest[key] = max(size.lines, longest.get(key, 0))
    reviewed = {(entry.kind, entry.name) for entry in listed}
    for (kind, name), lines in longest.items():
        if lines > LIMITS[kind] and (kind, name) not in reviewed:
            yield f"{name}: {lines} lines, a {kind} has at most {LIMITS[kind]}"
    for entry in listed:
        yield from _entry_problems(entry, longest.get((entry.kind, entry.name)))
    if len(reviewed) < len(listed):
        yield f"{LIST}: the same name stands there twice"


def _entry_problems(entry: Listed, lines: int | None) -> Iterator[str]:
    if not entry.reason:
        yield f"{entry.name}: listed without a reason"
    if lines is None:
        yield f"{entry.name}: listed, but there is no such {entry.kind}; remove the entry"
    elif lines <= LIMITS[entry.kind]:
        yield f"{entry.name}: {lines} lines, within the limit now; remove the entry"
    elif lines > entry.lines:
        yield f"{entry.name}: has grown from {entry.lines} to {lines} lines"
    elif lines < entry.lines:
        yield f"{entry.name}: has become smaller; lower its figure from {entry.lines} to {lines}"


def main(root: Path) -> int:
    """Print what is wrong; 1 when there is something."""
    path = root / LIST
    listed = read_list(path.read_text(encoding="utf-8")) if path.exists() else ()
    wrong = tuple(problems(tuple(sizes(root)), listed))
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[1]))
