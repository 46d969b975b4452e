"""What a job of NexusOne's dialect means: the nodes of an ordinary job, and the table that they fill."""

import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from headrace.api.nx1 import sources
from headrace.api.nx1.graphs import Wired, placed, wired
from headrace.api.nx1.models import (
    EngineerProperties,
    IngestProperties,
    NewJob,
    Properties,
    QuestionProperties,
    Transformation,
)
from headrace.api.nx1.sources import Shelved
from headrace.core.feeds import Draft
from headrace.core.inference import suggest
from headrace.core.warehouse import Columns, TableName
from headrace.definition import parse
from headrace.errors import BadParameter, JobInvalid, NotBuilt, Problem, RunFailed
from headrace.graph import Graph, read_node
from headrace.nodes.base import Node, NodeError, nearest
from headrace.plan.ops import Op, Place, Read
from headrace.plan.types import Schema
from headrace.stores.base import Store
from headrace.stores.grants import Use
from headrace.stores.publish import snapshot

Json = dict[str, Any]
P = TypeVar("P", bound=BaseModel)
_PROPERTIES = "properties_json"
_ROWS = 1000
_REGION = "1"


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Where tables lie, how the store of a bucket is opened, and which columns a table has by what we know."""

    bucket: str
    store: Callable[[str], Store]
    columns: Callable[[TableName], Columns | None]
    shelved: Shelved
    # Raises NotGranted for data that the caller's jobs may not use so.
    admit: Callable[[Use, Place], None]
    keys: Collection[str] = ()
    """The names of the keys that columns can be encrypted with."""

    def place(self, table: TableName) -> Place:
        """Where the files of a table lie."""
        return Place(self.bucket, table.prefix, _REGION)

    def is_filled(self, table: TableName) -> bool:
        """Whether a table has data. The bucket is made when it is not there."""
        store = self.store(self.bucket)
        store.make(self.bucket)
        return bool(snapshot(store, self.place(table), or_nothing=True).objects)


def draft(sent: NewJob, warehouse: Warehouse) -> Draft:
    """What the job is to be. Raises BadParameter with what is wrong, and NotBuilt for what can't be yet."""
    match sent.job_type:
        case "airflow.ingest":
            return _ingest(sent, warehouse)
        case "airflow.dataeng":
            return _engineered(sent, _properties(sent, EngineerProperties), warehouse)
        case "airflow.nlp":
            # The result of a question needs no name of its own: it is read back through the job.
            question = _properties(sent, QuestionProperties)
            named = sent.destination is not None or question.destination is not None
            table = _destination(sent, question) if named else TableName("ask", f"result_{uuid.uuid4().hex}")
            return _query(sent, question, question.sql, table, warehouse)
        case "airflow.airbyte":
            raise NotBuilt("jobs of type airflow.airbyte: connectors of other services")
        case "mirror":
            raise NotBuilt("jobs of type mirror: following the changes of a database")


class Line:
    """Nodes one behind another. Each is planned when it is added, so that the columns at every step are known."""

    def __init__(self, graph: Wired | None = None) -> None:
        """Without nodes, or behind the end of a graph."""
        self.nodes: list[Json] = [*graph.nodes] if graph else []
        self._ops: dict[int, Op] = dict(graph.operations) if graph else {}
        self._last = graph.end if graph else 0

    @property
    def columns(self) -> list[Json]:
        """What the last node gives, as a `fieldList`."""
        return _fields(self._ops[self._last].schema)

    def source(self, node: Json, places: Mapping[str, str]) -> int:
        """Add a node without a parent; gives its id."""
        return self._add({**node, "parentNodeIds": []}, (), places)

    def then(self, node: Json, places: Mapping[str, str], *, of: Sequence[int] = ()) -> int:
        """Add a node over the last one, or over those of these ids; `places` says where its fields were sent."""
        parents = of or (self._last,)
        return self._add({**node, "parentNodeIds": list(parents)}, [self._ops[each] for each in parents], places)

    def _add(self, node: Json, parents: Sequence[Op], places: Mapping[str, str]) -> int:
        number = max(self._ops, default=0) + 1
        whole = {"name": f"step {number}", **node, "id": number}
        read = read_node(whole, len(self.nodes))
        if not isinstance(read, Node):
            raise BadParameter([_placed(p.message, p.hint, p.field, places) for p in read])
        try:
            self._ops[number] = read.plan(*parents)
        except NodeError as error:
            raise BadParameter([_placed(f.message, f.hint, f.field, places) for f in error.faults]) from None
        self.nodes.append(whole)
        self._last = number
        return number


def _ingest(sent: NewJob, warehouse: Warehouse) -> Draft:
    properties = _properties(sent, IngestProperties)
    table = _destination(sent, properties)
    line = Line()
    columns = {"fieldList": f"{_PROPERTIES}.columns", "options": f"{_PROPERTIES}.read_options", "": "source"}
    named = sources.table(sent, properties)
    if named is None:
        line.source(_source(sent, properties, warehouse), columns)
    elif properties.where is None:
        line.source(_table(str(named), warehouse, "source"), {"": "source"})
    else:
        _rows_of(line, named, properties.where, warehouse)
    for index, change in enumerate(properties.column_transformations):
        where = f"{_PROPERTIES}.column_transformations[{index}]"
        line.then(_changed(change, line.columns, where, warehouse.keys), {"": where})
    return _written(sent, properties, line, table, warehouse)


def _engineered(sent: NewJob, properties: EngineerProperties, warehouse: Warehouse) -> Draft:
    table, where = _destination(sent, properties), f"{_PROPERTIES}.nodes"
    if properties.nodes is None:
        sql = _needed(properties.sql, f"{_PROPERTIES}.sql", "is needed: a query, or `nodes` in its place")
        return _query(sent, properties, sql, table, warehouse)
    if properties.sql is not None:
        raise BadParameter([Problem("both", "stands beside `sql`", "leave one of the two out", field=where)])
    graph = wired(properties.nodes, lambda name, at: _table(name, warehouse, at), place=where)
    for index, node in enumerate(graph.nodes):
        sources.refuse_others([node], warehouse.shelved, field=f"{where}[{index}].prefix")
    for read in (op for op in graph.operations.values() if isinstance(op, Read)):
        warehouse.admit("read", read.place)
    made = _written(sent, properties, Line(graph), table, warehouse)
    if problems := Graph.of(made.nodes).problems:
        raise BadParameter([placed(each, made.nodes, where) for each in problems])
    return made


def _rows_of(line: Line, table: TableName, condition: str, warehouse: Warehouse) -> None:
    """Add the rows of a table for which a condition holds."""
    where = f"{_PROPERTIES}.where"
    text = f"SELECT * FROM `{table.schema}`.`{table.table}` WHERE (\n{condition}\n)"
    _computed(line, text, where, warehouse)
    if len(line.nodes) != 2:
        told = "reads other tables: a condition is about the rows of its own"
        raise BadParameter([Problem("bad-sql", told, field=where)])


def _query(sent: NewJob, properties: Properties, sql: str, table: TableName, warehouse: Warehouse) -> Draft:
    line = Line()
    _computed(line, sql, f"{_PROPERTIES}.sql", warehouse)
    return _written(sent, properties, line, table, warehouse)


def _computed(line: Line, text: str, where: str, warehouse: Warehouse) -> None:
    """Add what a query gives, and before it the tables that it reads."""
    from headrace.sqltext.faults import SqlInvalid
    from headrace.sqltext.tables import aliased

    try:
        query = aliased(text)
    except SqlInvalid as error:
        raise BadParameter(
            [Problem("bad-sql", f"{f.place}: {f.message}", f.hint, field=where) for f in error.faults]
        ) from None
    if not query.tables:
        raise BadParameter([Problem("bad-sql", "the query reads no table", "name tables as schema.table", field=where)])
    reads = [_table(f"{schema}.{name}", warehouse, where) for _, schema, name in query.tables]
    ids = [line.source(read, {"": where}) for read in reads]
    names = [{"parentId": parent, "newName": each[0]} for parent, each in zip(ids, query.tables, strict=True)]
    sql = {"type": "TRANSFORM_SQL", "name": "query", "sourceNameList": names, "sql": query.text}
    line.then(sql, {"": where}, of=ids)


def _written(sent: NewJob, properties: Properties, line: Line, table: TableName, warehouse: Warehouse) -> Draft:
    columns = line.columns
    warehouse.admit("write", warehouse.place(table))
    known = warehouse.columns(table)
    filled = warehouse.is_filled(table)
    if filled and known is not None and properties.mode != "overwrite" and _as_set(known) != _as_set(columns):
        shown = ", ".join(f"{c['name']} {c['type']}" for c in known)
        told = f"{table} has other columns: {shown}"
        raise BadParameter([Problem("other-columns", told, "give the same ones, or overwrite it", field="destination")])
    keys = f"{_PROPERTIES}.merge_keys"
    target = {
        "type": "TARGET_OBS",
        "name": str(table),
        "regionNo": _REGION,
        "bucketName": warehouse.bucket,
        "prefix": table.prefix,
        "dataType": "PARQUET",
        "updateType": properties.mode.upper(),
        "fieldList": columns,
        **({"mergeKeyList": [*properties.merge_keys]} if properties.merge_keys else {}),
    }
    line.then(target, {"mergeKeyList": keys, "": "destination"})
    return Draft(
        type=sent.job_type,
        name=sent.job_name,
        source=sent.source,
        destination=sent.destination,
        properties=sent.properties_json,
        schedule=sent.schedule,
        zone=properties.time_zone,
        nodes=tuple(line.nodes),
        table=table,
        columns=columns,
    )


def _source(sent: NewJob, properties: IngestProperties, warehouse: Warehouse) -> Json:
    """The node that reads the source, by what was sent of it and, for the rest, by looking at the data."""
    place, where = sources.files(sent, properties, warehouse.shelved)
    warehouse.admit("read", place)
    given: Json = {
        **({"dataType": properties.format.upper()} if properties.format else {}),
        **({"fieldList": [c.model_dump() for c in properties.columns]} if properties.columns else {}),
    }
    options = properties.read_options.model_dump(exclude_none=True, exclude={"inferSchema"})
    seen: Json = {"type": "SOURCE_OBS", "regionNo": _REGION, "bucketName": place.bucket, "prefix": place.prefix}
    if not (properties.format and properties.columns):
        sources.refuse_others([seen], warehouse.shelved)
        seen = _seen(place, warehouse, where)
    if properties.read_options.inferSchema is False and seen.get("dataType") == "CSV":
        seen["fieldList"] = [{**column, "type": "string"} for column in seen["fieldList"]]
    whole = {**seen.get("options", {}), **options}
    return {**seen, **given, "name": "source", **({"options": whole} if whole else {})}


def _seen(place: Place, warehouse: Warehouse, where: str) -> Json:
    try:
        return suggest(place, warehouse.store(place.bucket), rows=_ROWS).node
    except RunFailed as error:
        raise BadParameter([Problem(error.code, error.message, error.hint, field=where)]) from None


def _table(name: str, warehouse: Warehouse, where: str) -> Json:
    """The node that reads a table: with the columns that we know, or those of its files."""
    try:
        table = TableName.of(name)
    except ValueError as error:
        raise BadParameter([Problem("bad-table", str(error), field=where)]) from None
    # Before anything is told of it.
    warehouse.admit("read", warehouse.place(table))
    place = {"regionNo": _REGION, "bucketName": warehouse.bucket, "prefix": table.prefix}
    columns = warehouse.columns(table)
    if columns is None:
        try:
            seen = suggest(warehouse.place(table), warehouse.store(warehouse.bucket), rows=_ROWS).node
        except RunFailed:
            hint = "a job has to fill it first"
            raise BadParameter([Problem("no-table", f"there is no table {table}", hint, field=where)]) from None
        columns = seen["fieldList"]
    return {"type": "SOURCE_OBS", "name": str(table), **place, "dataType": "PARQUET", "fieldList": [*columns]}


def _changed(change: Transformation, columns: Sequence[Json], where: str, keys: Collection[str]) -> Json:
    match change.transformation_type:
        case "cast":
            target = _needed(change.target_type, f"{where}.target_type")
            entry = {"name": change.column, "newType": target, "newName": change.column}
            return {"type": "TRANSFORM_DEFINE", "defineFieldList": [entry]}
        case "rename":
            name = _needed(change.new_name, f"{where}.new_name")
            return {"type": "TRANSFORM_RENAME", "renameFieldList": [{"name": change.column, "newName": name}]}
        case "drop":
            left = [c for c in columns if c["name"].lower() != change.column.lower()]
            if len(left) == len(columns):
                told = f"no column {change.column!r} arrives"
                raise BadParameter([Problem("unknown-column", told, field=f"{where}.column")])
            return {"type": "TRANSFORM_SELECT", "fieldList": left}
        case "encrypt":
            key, field = change.encryption_key_name, f"{where}.encryption_key_name"
            if _needed(key, field) not in keys:
                told, hint = f"there is no key {key!r}", nearest(str(key), keys)
                raise BadParameter([Problem("unknown-key", told, hint, field=field)])
            return {"type": "TRANSFORM_ENCRYPT", "encryptFieldList": [{"name": change.column, "keyName": key}]}


def _needed(value: str | None, field: str, told: str = "is needed by this transformation") -> str:
    if value is None:
        raise BadParameter([Problem("missing", told, field=field)])
    return value


def _properties(sent: NewJob, kind: type[P]) -> P:
    try:
        value = parse(sent.properties_json or "{}")
    except JobInvalid as error:
        raise BadParameter([replace(each, field=_PROPERTIES) for each in error.problems]) from None
    if not isinstance(value, dict):
        raise BadParameter([Problem("bad-json", "is not a JSON object", field=_PROPERTIES)])
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise BadParameter(
            [Problem(e["type"], e["msg"], field=_path(_PROPERTIES, e["loc"])) for e in error.errors()]
        ) from None


def _destination(sent: NewJob, properties: Properties) -> TableName:
    text, where = _sent(sent.destination, properties.destination, "destination")
    if text is None:
        raise BadParameter([Problem("missing", "is needed: the table, as schema.table", field=where)])
    try:
        return TableName.of(text)
    except ValueError as error:
        raise BadParameter([Problem("bad-table", str(error), field=where)]) from None


def _sent(beside: str | None, inside: str | None, name: str) -> tuple[str | None, str]:
    """A text that may stand beside the properties or among them, and its place."""
    return (inside, f"{_PROPERTIES}.{name}") if beside is None and inside is not None else (beside, name)


def _placed(message: str, hint: str, field: str, places: Mapping[str, str]) -> Problem:
    first = re.split(r"[.\[]", field.removeprefix("nodes"), maxsplit=1)[0]
    return Problem("bad-value", message, hint, field=places.get(first) or places[""])


def _path(root: str, loc: Sequence[str | int]) -> str:
    return root + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)


def _fields(schema: Schema) -> list[Json]:
    return [{"name": f.name, "type": str(f.type)} for f in schema]


def _as_set(columns: Columns) -> set[tuple[str, str]]:
    return {(str(c["name"]).lower(), str(c["type"])) for c in columns}
