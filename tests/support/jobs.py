"""Nodes and jobs as JSON values, short to write, and what is wrong with them."""

from typing import Any

from headrace.graph import Graph, Plan

Json = dict[str, Any]


def fields(columns: str) -> list[Json]:
    """A `fieldList` from `"id bigint, name string"`."""
    pairs = (column.strip().split(" ", 1) for column in columns.split(", "))
    return [{"name": name, "type": type_} for name, type_ in pairs]


def node(type_: str, node_id: int, parents: tuple[int, ...], **more: Any) -> Json:
    """Any node; its name is its id in words."""
    return {"type": type_, "id": node_id, "name": f"node {node_id}", "parentNodeIds": list(parents), **more}


def source(columns: str = "id bigint, name string", *, node_id: int = 1, kind: str = "CSV", **more: Any) -> Json:
    """A source that reads `lake/in`."""
    place = {"regionNo": "1", "bucketName": "lake", "prefix": "in", "dataType": kind}
    return node("SOURCE_OBS", node_id, (), **{**place, "fieldList": fields(columns), **more})


def target(
    columns: str = "id bigint, name string",
    *,
    node_id: int = 9,
    parents: tuple[int, ...] = (1,),
    kind: str = "CSV",
    **more: Any,
) -> Json:
    """A target that overwrites `lake/out`."""
    place = {"regionNo": "1", "bucketName": "lake", "prefix": "out", "dataType": kind, "updateType": "OVERWRITE"}
    return node("TARGET_OBS", node_id, parents, **{**place, "fieldList": fields(columns), **more})


def job(*nodes: Json, **more: Any) -> Json:
    """A whole job."""
    return {"name": "job", "nodes": list(nodes), **more}


def graph(*nodes: Any) -> Graph:
    """The graph of nodes."""
    return Graph.of(nodes)


def plan(*nodes: Any) -> Plan:
    """What nodes mean."""
    return graph(*nodes).plan()


def problems(*nodes: Any) -> list[str]:
    """What is wrong with a graph, as people read it."""
    return [str(problem) for problem in graph(*nodes).problems]


def faults(*nodes: Any) -> list[tuple[int | str | None, str, str]]:
    """What is wrong with a graph: node id, field and code of each problem."""
    return [(problem.node_id, problem.field, problem.code) for problem in graph(*nodes).problems]


def warnings(*nodes: Any) -> list[str]:
    """What a graph warns about, as people read it."""
    return [str(warning) for warning in graph(*nodes).warnings]
