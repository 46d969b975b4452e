"""Names: which relations a part of a query sees, and to which column a name leads."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from headrace.plan.types import Schema, fold
from headrace.sqltext.faults import Place, SqlFault, SqlInvalid
from headrace.sqltext.reading import place_of
from headrace.sqltext.tree import Derivation, Exists, Expr, InQuery, Query, Ref, Select, Single, inside


@dataclass(frozen=True, slots=True)
class Visible:
    """A relation under the name by which the text calls it."""

    label: str
    name: str
    schema: Schema


@dataclass
class Scope:
    """What one SELECT sees. `outer` is what the query around it sees, where that may be read."""

    relations: list[Visible] = field(default_factory=list)
    outer: "Scope | None" = None
    correlated: bool = False

    def find(self, table: str | None, name: str) -> list[Ref]:
        """The columns of that name, of the relation of that name if one is given."""
        return [
            Ref(relation.label, name, found.type)
            for relation in self.relations
            if (table is None or fold(relation.name) == fold(table)) and (found := relation.schema.find(name))
        ]

    def columns(self) -> list[str]:
        """The names of all columns."""
        return [name for relation in self.relations for name in relation.schema.names]


@dataclass(frozen=True, slots=True)
class Named:
    """A query of a WITH clause: its label and its columns."""

    label: str
    schema: Schema


@dataclass
class Work:
    """What is known of one text while it is checked."""

    text: str
    sources: Mapping[str, Schema]
    shared: list[tuple[str, Query]] = field(default_factory=list)
    derived: dict[tuple[str, str], Derivation] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    _labels: set[str] = field(default_factory=set)

    def label(self, wanted: str, *, sign: str = "t") -> str:
        """A label that no other relation has, like what the text says."""
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", wanted).strip("_").lower()[:40] or sign
        label, number = plain if sign == "t" else f"{plain}_{sign}1", 1
        while label in self._labels:
            number += 1
            label = f"{plain}_{sign}{number}"
        self._labels.add(label)
        return label

    def enter(self, label: str, schema: Schema, derivations: Iterable[Derivation]) -> None:
        """Remember from what the columns of a relation derive."""
        for name, derivation in zip(schema.names, derivations, strict=True):
            self.derived[label, fold(name)] = derivation

    def derivation(self, expr: Expr) -> Derivation:
        """The columns of the sources from which a value derives."""
        found: set[tuple[str, str]] = set()
        for part in inside(expr):
            match part:
                case Ref():
                    found |= self.derived[part.relation, fold(part.name)]
                case Single() | InQuery():
                    found |= self.derivations(part.query)[0]
                case Exists():
                    pass
                case _:
                    pass
        return frozenset(found)

    def derivations(self, query: Query) -> list[Derivation]:
        """The same for each column of a query."""
        if isinstance(query, Select):
            return [self.derivation(column.expr) for column in query.columns]
        sides = zip(self.derivations(query.left), self.derivations(query.right), strict=True)
        return [left | right for left, right in sides]

    def fault(
        self, node: exp.Expr, message: str, *within: exp.Expr, hint: str = "", code: str = "bad-sql"
    ) -> SqlInvalid:
        """One fault at the place of a node."""
        return SqlInvalid([SqlFault(message, place_of(self.text, node, *within), hint, code)])

    def place(self, node: exp.Expr) -> Place:
        """Where a node stands."""
        return place_of(self.text, node)

    def only(self, node: exp.Expr, *allowed: str, hint: str = "") -> None:
        """Raises for any part of a node that is not on the list."""
        for name, value in node.args.items():
            if name in allowed or value is None or value is False or value == []:
                continue
            part = value[0] if isinstance(value, list) else value
            at = part if isinstance(part, exp.Expr) else node
            raise self.fault(at, f"{_clause(name)} is not on the list of what a query may have", node, hint=hint)


def _clause(name: str) -> str:
    words = {
        "db": "a table in a schema",
        "catalog": "a table in a catalog",
        "laterals": "LATERAL",
        "sample": "TABLESAMPLE",
    }
    return words.get(name, name.rstrip("_").upper().replace("_", " "))


def nearest(word: str, words: Iterable[str]) -> str:
    """A hint that names what was probably meant, or what there is."""
    known = list(dict.fromkeys(words))
    if near := difflib.get_close_matches(word.lower(), [w.lower() for w in known], n=3, cutoff=0.6):
        return "did you mean " + " or ".join(repr(n) for n in near) + "?"
    listed = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    return f"there is {listed}" if known else ""


def resolve(work: Work, scope: Scope, node: exp.Column, *, outer: bool) -> Ref:
    """The column that a name leads to; `outer` allows those of the query around."""
    work.only(node, "this", "table")
    name, table = node.this.name, node.args["table"].name if node.args.get("table") else None
    found = scope.find(table, name)
    if not found and scope.outer is not None and (found := scope.outer.find(table, name)):
        if not outer:
            hint = "move the comparison to its WHERE, or write a join"
            raise work.fault(node, f"{name!r} is of the outer query; a subquery reads it in its WHERE alone", hint=hint)
        scope.correlated = True
    if len(found) > 1:
        labels = ", ".join(f"{r.name}.{name}" for r in scope.relations if r.schema.find(name))
        raise work.fault(
            node, f"{name!r} is in several sources", hint=f"write one of {labels}", code="ambiguous-column"
        )
    if not found:
        raise _unknown(work, scope, node, table, name)
    return found[0]


def _unknown(work: Work, scope: Scope, node: exp.Column, table: str | None, name: str) -> SqlInvalid:
    names = [relation.name for relation in scope.relations]
    if table is not None and fold(table) not in map(fold, names):
        return work.fault(node, f"there is no source {table!r} here", hint=nearest(table, names), code="unknown-source")
    known = [n for r in scope.relations if table is None or fold(r.name) == fold(table) for n in r.schema.names]
    return work.fault(node, f"no column {name!r}", hint=nearest(name, known), code="unknown-column")


def expand(work: Work, scope: Scope, node: exp.Expr, table: str | None) -> list[tuple[str, Ref]]:
    """The columns that a star stands for."""
    relations = [r for r in scope.relations if table is None or fold(r.name) == fold(table)]
    if not relations:
        known = nearest(table or "", [r.name for r in scope.relations])
        raise work.fault(node, f"there is no source {table!r} here" if table else "there is no FROM", hint=known)
    return [(f.name, Ref(r.label, f.name, f.type)) for r in relations for f in r.schema]
