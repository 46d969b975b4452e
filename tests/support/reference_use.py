"""Which columns of each node a job uses, in plain Python: bad values are counted for those alone."""

from collections.abc import Mapping, Sequence

from headrace.nodes.examples import Table
from tests.support.jobs import Json
from tests.support.reference import joined

Names = set[str]


def used(nodes: Sequence[Json], tables: Mapping[int, Table]) -> dict[int, Names]:
    """By node, the columns that are used, in lower case; a node that no target reads is left out."""
    wanted: dict[int, Names] = {}
    for node in reversed(nodes):
        if node["type"] == "TARGET_OBS":
            wanted[node["id"]] = {f["name"].lower() for f in node["fieldList"]}
        if node["id"] not in wanted:
            continue
        own = wanted[node["id"]]
        for parent in node["parentNodeIds"]:
            wanted.setdefault(parent, set()).update(_needed(node, own, parent, tables))
    return wanted


def counted(node: Json, own: Names) -> Names:
    """The names under which bad values of the used columns are counted: a definition counts under the old ones."""
    defined = {d["newName"].lower(): d["name"].lower() for d in node.get("defineFieldList", ())}
    return {defined.get(name, name) for name in own}


def _needed(node: Json, own: Names, parent: int, tables: Mapping[int, Table]) -> Names:
    everything = {name.lower() for name in tables[parent].schema.names}
    match node["type"]:
        case "TRANSFORM_RENAME":
            old = {r["newName"].lower(): r["name"].lower() for r in node["renameFieldList"]}
            return _before(own, old, everything)
        case "TRANSFORM_DEFINE":
            old = {d["newName"].lower(): d["name"].lower() for d in node["defineFieldList"]}
            return _before(own, old, everything)
        case "TRANSFORM_FILTER":
            return own | {c["name"].lower() for c in node["filterConditionList"]}
        case "TRANSFORM_DROP_NULL":
            return own | ({name.lower() for name in node.get("dropFieldList", ())} or everything)
        case "TRANSFORM_SPLIT_FIELD":
            new = {name.lower() for name in node["newFieldList"]}
            return (own - new) | ({node["fieldName"].lower()} if own & new else set())
        case "TRANSFORM_DROP_DUPLICATION":
            return everything
        case "TRANSFORM_UNION":
            return everything if node["unionType"] == "DISTINCT" else own
        case "TRANSFORM_AGGREGATE":
            told = [a["name"].lower() for a in node["aggregateFieldList"] if a["ResultName"].lower() in own]
            return ({name.lower() for name in node["groupByList"]} | set(told)) - {"*"}
        case "TRANSFORM_JOIN":
            return _of_side(node, own, parent, tables)
        case _:
            return own


def _before(own: Names, old: Mapping[str, str], everything: Names) -> Names:
    """The names that columns had; one that is the new name of another column does not stand for itself."""
    return {old.get(name, name) for name in own} & everything


def _of_side(node: Json, own: Names, parent: int, tables: Mapping[int, Table]) -> Names:
    left, right = tables[node["leftNodeId"]], tables[node["rightNodeId"]]
    if parent == node["leftNodeId"]:
        tested = {c["leftField"].lower() for c in node["joinConditionList"]}
        return tested | (own & {name.lower() for name in left.schema.names})
    tested = {c["rightField"].lower() for c in node["joinConditionList"]}
    return tested | {field.name.lower() for name, field in joined(node, left, right) if name.lower() in own}
