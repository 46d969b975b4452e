"""What the vendor documents, as data, and the tests that prove what we do about it.

A file of `tests/contract/facts` has a table for each subject (an operation, an object of answers, a topic), in it
groups of facts. A fact is a sentence, or a table with `what` and more. `createJob.body.name` is the fact `name` in the
group `body` of the subject `createJob`; the group `fields` has no part in the name. Each of `values` is a fact of its
own: `Job.status=RUNNABLE`. A test names the facts that it proves: `@proves("createJob.body.name")`; a `*` stands for
any signs but `=`.
"""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.api.naver.operations import OPERATIONS

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT / "tests" / "contract" / "facts"
LEDGER = "ledger"
STATES = ("implemented", "planned", "excluded")
_OF_SUBJECT = ("what", "state", "why", "seen")
_OF_FACT = (*_OF_SUBJECT, "type", "required", "least", "most", "values", "readings")


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is documented. `seen` names the documentations that have it; `why` is for what we leave out."""

    id: str
    name: str
    group: str
    what: str
    state: str
    why: str = ""
    seen: str = ""
    type: str = ""
    required: bool = False
    least: int | None = None
    most: int | None = None
    readings: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What belongs together: `itself` is the fact that it is there."""

    file: str
    itself: Fact
    facts: tuple[Fact, ...]

    @property
    def every(self) -> tuple[Fact, ...]:
        """All its facts; that it is there is one of them, unless it is only a heading over the others."""
        heading = self.facts and self.itself.id not in {operation.name for operation in OPERATIONS}
        return self.facts if heading else (self.itself, *self.facts)


@dataclass(frozen=True, slots=True)
class Proof:
    """A test that says which facts it proves."""

    file: str
    test: str
    names: tuple[str, ...]


def subjects(folder: Path = FACTS) -> tuple[Subject, ...]:
    """All subjects, in the order of the files' names. Raises ValueError for a key that means nothing."""
    found = []
    for file in sorted(folder.glob("*.toml")):
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
        found += [_subject(file.stem, name, table) for name, table in tables.items()]
    return tuple(found)


def every_fact(found: Iterable[Subject]) -> dict[str, Fact]:
    """All facts by their names. Raises ValueError when two have one."""
    by_id: dict[str, Fact] = {}
    for subject in found:
        for fact in subject.every:
            if by_id.setdefault(fact.id, fact) is not fact:
                raise ValueError(f"two facts are named {fact.id}")
    return by_id


def proofs(folder: Path = ROOT / "tests") -> tuple[Proof, ...]:
    """Every test that proves facts, in the order of files and lines."""
    found: list[Proof] = []
    for file in sorted(folder.rglob("test_*.py")):
        text = file.read_text(encoding="utf-8")
        if "proves(" in text:
            found += _of_module(file.relative_to(folder.parent).as_posix(), ast.parse(text))
    return tuple(found)


def proved(by_id: Mapping[str, Fact], found: Iterable[Proof]) -> dict[str, list[Proof]]:
    """The proofs of each fact, those that name it before those that name many. Raises ValueError for unknown names."""
    of_fact: dict[str, list[tuple[int, Proof]]] = {}
    for proof in found:
        for name in proof.names:
            meant = [name] if name in by_id else [each for each in by_id if _stands_for(name, each)]
            if not meant:
                raise ValueError(f"{proof.file}: {proof.test} proves {name!r}, which is no fact")
            for each in meant:
                of_fact.setdefault(each, []).append((len(meant), proof))
    return {name: [proof for _, proof in sorted(ones, key=lambda one: one[0])] for name, ones in of_fact.items()}


def problems(found: Sequence[Subject], all_proofs: Sequence[Proof]) -> list[str]:
    """What is called implemented and has no proof, and what has one and is called something else."""
    by_id = every_fact(found)
    of_fact = proved(by_id, all_proofs)
    told = [f"{fact.id}: implemented, without a test that proves it" for fact in by_id.values() if _bare(fact, of_fact)]
    told += [
        f"{name}: {by_id[name].state}, and {ones[0].test} proves it"
        for name, ones in of_fact.items()
        if by_id[name].state != "implemented" and any(name in proof.names for proof in ones)
    ]
    return told


def _bare(fact: Fact, of_fact: Mapping[str, object]) -> bool:
    return fact.state == "implemented" and fact.id not in of_fact


def _stands_for(name: str, fact_id: str) -> bool:
    shape = "[^=]*".join(map(re.escape, name.split("*")))
    return re.fullmatch(shape, fact_id) is not None


def _subject(file: str, name: str, table: Mapping[str, Any]) -> Subject:
    own = {key: value for key, value in table.items() if key in _OF_SUBJECT}
    itself = _fact(name, name, "", own, {})
    inherited = {"state": itself.state, "seen": itself.seen, "why": itself.why}
    facts: list[Fact] = []
    for group, members in table.items():
        if group not in _OF_SUBJECT:
            for key, value in members.items():
                facts += _facts(
                    f"{name}.{key}" if group == "fields" else f"{name}.{group}.{key}", key, group, value, inherited
                )
    return Subject(file, itself, tuple(facts))


def _facts(fact_id: str, name: str, group: str, value: Any, inherited: Mapping[str, Any]) -> Iterator[Fact]:
    told: Mapping[str, Any] = {"what": value} if isinstance(value, str) else value
    yield _fact(fact_id, name, group, told, inherited)
    values = told.get("values", {})
    for each, meaning in values.items():
        of_value = {"what": meaning} if isinstance(meaning, str) else meaning
        above = {**inherited, **{key: told[key] for key in ("state", "seen", "why") if key in told}}
        yield _fact(f"{fact_id}={each}", f"{name} = {each}", group, of_value, above)


def _fact(fact_id: str, name: str, group: str, told: Mapping[str, Any], inherited: Mapping[str, Any]) -> Fact:
    unknown = [key for key in told if key not in _OF_FACT]
    if unknown or "what" not in told:
        raise ValueError(f"{fact_id}: {unknown[0]!r} means nothing here" if unknown else f"{fact_id}: has no `what`")
    whole = {"state": "implemented", "seen": "2023 2025 2026", **inherited, **told}
    if whole["state"] not in STATES or (whole["state"] == "excluded" and not whole.get("why")):
        raise ValueError(f"{fact_id}: a state is one of {', '.join(STATES)}, and what is excluded says why")
    return Fact(id=fact_id, name=name, group=group, **{key: value for key, value in whole.items() if key != "values"})


def _of_module(file: str, tree: ast.Module) -> Iterator[Proof]:
    tables = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            names = tuple(dict.fromkeys(name for each in node.decorator_list for name in _names(each, tables)))
            if names:
                yield Proof(file, node.name, names)


def _names(tree: ast.AST, tables: Mapping[str, ast.expr]) -> Iterator[str]:
    """The names in the calls of `proves` in a decorator, and in the tables of the module that it uses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in tables:
            yield from _names(tables[node.id], {})
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "proves":
            inside = (each for argument in node.args for each in ast.walk(argument))
            yield from (each.value for each in inside if isinstance(each, ast.Constant) and isinstance(each.value, str))
