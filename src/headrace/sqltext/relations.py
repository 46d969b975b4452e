"""FROM and its joins: declared aliases, names of WITH, queries in brackets, and nothing else."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlglot import exp

from headrace.plan.types import Schema, fold
from headrace.sqltext.expressions import Clause, Expressions
from headrace.sqltext.scopes import Named, Scope, Visible, Work, nearest
from headrace.sqltext.tree import Derived, Expr, Joined, JoinKind, Relation, Shared, Source

if TYPE_CHECKING:
    from headrace.sqltext.check import Queries

_ON = Clause("ON")
_JOINS: dict[tuple[str, str], JoinKind] = {
    ("", ""): "INNER", ("", "INNER"): "INNER", ("LEFT", ""): "LEFT", ("LEFT", "OUTER"): "LEFT",
    ("RIGHT", ""): "RIGHT", ("RIGHT", "OUTER"): "RIGHT", ("FULL", ""): "FULL", ("FULL", "OUTER"): "FULL",
    ("", "CROSS"): "CROSS", ("LEFT", "SEMI"): "LEFT SEMI", ("", "SEMI"): "LEFT SEMI", ("LEFT", "ANTI"): "LEFT ANTI",
    ("", "ANTI"): "LEFT ANTI",
}  # fmt: skip


class Relations:
    """Reads what one SELECT reads from, and enters it into the SELECT's scope."""

    def __init__(self, work: Work, queries: "Queries", known: Mapping[str, Named], scope: Scope) -> None:
        self.work = work
        self.queries = queries
        self.known = known
        self.scope = scope

    def source(self, node: exp.Select) -> Relation | None:
        """FROM with its joins; None for a SELECT of constants."""
        clause = node.args.get("from_")
        if clause is None:
            if node.args.get("joins"):
                raise self.work.fault(node, "a join without FROM")
            return None
        self.work.only(clause, "this")
        made = self._one(clause.this)
        for join in node.args.get("joins") or ():
            made = self._joined(made, join)
        return made

    def _joined(self, left: Relation, node: exp.Join) -> Relation:
        self.work.only(node, "this", "on", "side", "kind", hint="write JOIN … ON …")
        kind = _JOINS.get((str(node.args.get("side") or "").upper(), str(node.args.get("kind") or "").upper()))
        if kind is None:
            raise self.work.fault(
                node, "this join is not on the list", hint="INNER, LEFT, RIGHT, FULL, CROSS, SEMI, ANTI"
            )
        on = node.args.get("on")
        if (on is None) != (kind == "CROSS"):
            hint = "say ON, or CROSS JOIN when every pair is meant"
            raise self.work.fault(node, "a CROSS JOIN has no ON" if on is not None else "a join without ON", hint=hint)
        before = list(self.scope.relations)
        right = self._one(node.this)
        condition = self._condition(on) if on is not None else None
        if kind in ("LEFT SEMI", "LEFT ANTI"):
            self.scope.relations = before
        return Joined(left, right, kind, condition)

    def _condition(self, node: exp.Expr) -> Expr:
        return Expressions(self.work, self.scope, _ON, self.queries).test(node)

    def _one(self, node: exp.Expr) -> Relation:
        match node:
            case exp.Table():
                return self._table(node)
            case exp.Subquery():
                self.work.only(node, "this", "alias")
                query = self.queries.derived(node.this, self.known)
                name = self._alias(node) or ""
                label = self._enter(node, name or "rows", query.schema)
                self.work.enter(label, query.schema, self.work.derivations(query))
                return Derived(label, query)
            case _:
                hint = "read from the aliases of the parents"
                raise self.work.fault(node, f"{type(node).__name__.upper()} can't stand in FROM", hint=hint)

    def _table(self, node: exp.Table) -> Relation:
        hint = f"read from {', '.join(self.work.sources)}"
        self.work.only(node, "this", "alias", hint=hint)
        if not isinstance(node.this, exp.Identifier):
            raise self.work.fault(node, "a function can't stand in FROM", hint=hint)
        name = node.this.name
        shared = self.known.get(fold(name))
        if shared is not None:
            label = self._enter(node, self._alias(node) or name, shared.schema)
            self.work.enter(
                label, shared.schema, [self.work.derived[shared.label, fold(n)] for n in shared.schema.names]
            )
            return Shared(label, shared.label)
        alias = self.queries.aliases.get(fold(name))
        if alias is None:
            known = [*(self.work.sources), *self.known]
            raise self.work.fault(
                node, f"there is no source {name!r}", hint=nearest(name, known), code="unknown-source"
            )
        schema = self.work.sources[alias]
        label = self._enter(node, self._alias(node) or name, schema)
        self.work.read.add(alias)
        self.work.enter(label, schema, [frozenset({(alias, name)}) for name in schema.names])
        return Source(label, alias)

    def _alias(self, node: exp.Expr) -> str | None:
        alias = node.args.get("alias")
        if alias is None:
            return None
        self.work.only(alias, "this", hint="name the columns in the query itself")
        if not isinstance(alias.this, exp.Identifier):
            raise self.work.fault(alias, "an alias is a name", node)
        return str(alias.name)

    def _enter(self, node: exp.Expr, name: str, schema: Schema) -> str:
        if any(fold(relation.name) == fold(name) for relation in self.scope.relations):
            raise self.work.fault(node, f"two sources are called {name!r} here", hint="give one another name with AS")
        label = self.work.label(name)
        self.scope.relations.append(Visible(label, name, schema))
        return label
