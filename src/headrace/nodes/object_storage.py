"""Read from, and write to, object storage.

Data lies in a bucket under a prefix: one exact object, or all objects below `prefix/`, subfolders included. Names with
a part that begins with `_` or `.` are not data. The objects are listed once when the run starts, so the prefix that is
read may also be the one that is written.

Text that does not parse to its declared type becomes null and is counted, for each field that the job uses; with
`"options": {"mode": "FAIL"}` every declared field is checked and the first such value fails the run. A CSV file has a
header that is matched by name, or none (`"options": {"header": false}`) and is read by position.

A target with `"updateType": "MERGE"` has columns as keys: an incoming row takes the place of the row with equal keys,
or is added, and all other rows stay. Rows that come with a missing key, or twice with the same, fail the run, and so
does data there with other columns. The whole of the data is written anew and replaces the old at one moment.
"""

from typing import Annotated, ClassVar, Literal

from headrace.nodes.base import (
    Described,
    Example,
    Fault,
    FieldSpec,
    Fillable,
    Flag,
    Node,
    NodeError,
    Table,
    Whole,
    Widget,
    Wire,
    column,
    each,
    nearest,
    no_repeats,
)
from headrace.nodes.define import cast
from headrace.plan.casts import kind
from headrace.plan.encrypted import is_encrypted
from headrace.plan.expr import Column, Expr, Finite, Named
from headrace.plan.ops import Dialect, Merge, Op, Place, Project, Read, Write, WriteMode
from headrace.plan.types import FRACTIONS, Field, Scalar, Schema

Encoding = Literal["UTF-8", "UTF-16", "LATIN-1", "CP949", "EUC-KR"]
OneCharacter = Annotated[str, Described(min_length=1, max_length=1)]
_ORDERS = {
    "regionNo": "1",
    "bucketName": "lake",
    "prefix": "orders",
    "dataType": "CSV",
    "fieldList": [{"name": "sku", "type": "string"}, {"name": "qty", "type": "int"}],
}


class TextOptions(Wire):
    """How text files are laid out; ours, not the vendor's. What is left out is as RFC 4180 has it, in UTF-8."""

    header: Annotated[Flag, Described(description="CSV: the first record holds the column names.")] = True
    delimiter: Annotated[OneCharacter, Described(description="CSV: between two values.")] = ","
    quote: Annotated[OneCharacter, Described(description="CSV: around a value.")] = '"'
    escape: Annotated[OneCharacter, Described(description="CSV: before a quote inside a quoted value.")] = '"'
    null_value: Annotated[str, Described(max_length=50, description="CSV: the unquoted text of a missing value.")] = ""
    encoding: Annotated[Encoding, Described(description="CSV: how characters are bytes. JSON is UTF-8.")] = "UTF-8"

    def _dialect(self, compression: str) -> Dialect:
        text = (self.header, self.delimiter, self.quote, self.escape, self.null_value)
        return Dialect(*text, self.encoding, compression)

    def faults(self, data_type: str) -> list[Fault]:
        """What can't go together."""
        found = []
        if self.delimiter in (self.quote, self.escape):
            found.append(Fault("delimiter and quote or escape are the same character", "options.delimiter"))
        if "\n" in self.delimiter + self.quote + self.escape or "\r" in self.delimiter + self.quote + self.escape:
            found.append(Fault("a line break can't be delimiter, quote or escape", "options"))
        if data_type != "CSV" and self.encoding != "UTF-8":
            found.append(Fault(f"{data_type} is always UTF-8", "options.encoding", "leave encoding out"))
        return found


class ReadOptions(TextOptions):
    """How a source reads its files."""

    compression: Annotated[
        Literal["AUTO", "NONE", "GZIP", "ZSTD"],
        Described(description="CSV and JSON; AUTO goes by the name: `.gz`, `.zst`, or not compressed."),
    ] = "AUTO"
    mode: Annotated[
        Literal["NULL", "FAIL"], Described(description="What a value that does not parse does: count, or fail.")
    ] = "NULL"

    def dialect(self) -> Dialect:
        """The options as the plan has them."""
        return self._dialect(self.compression)


class WriteOptions(TextOptions):
    """How a target writes its files."""

    compression: Annotated[
        Literal["NONE", "GZIP", "ZSTD"], Described(description="CSV and JSON; Parquet compresses by itself.")
    ] = "NONE"

    def dialect(self) -> Dialect:
        """The options as the plan has them."""
        return self._dialect(self.compression)


class ObjectStorage(Node):
    """What source and target have in common: the place and the columns."""

    region_no: Annotated[str, Described(description="The region's number, `1` in the vendor's examples.")]
    bucket_name: Annotated[str, Described(min_length=1, description="The bucket."), Widget("text", "Bucket")]
    prefix: Annotated[
        str,
        Described(max_length=900, description="A folder or one object."),
        Widget("text", "Prefix"),
        Fillable("segment"),
    ]

    def _place(self) -> Place:
        return Place(self.bucket_name, self.prefix.removesuffix("/"), self.region_no)

    def _fields(self, specs: tuple[FieldSpec, ...], data_type: str) -> tuple[Field, ...]:
        no_repeats((f.name for f in specs), field="fieldList")
        return each(specs, lambda spec: _field(spec, data_type), field="fieldList")


def _field(spec: FieldSpec, data_type: str) -> Field:
    found = spec.field()
    if data_type == "CSV" and kind(found.type) == "nested":
        raise NodeError(f"{found.name!r} is {found.type}, which CSV can't hold", field="type", hint="use PARQUET")
    if data_type != "PARQUET" and kind(found.type) == "binary":
        raise NodeError(f"{found.name!r} is binary, which no text file can hold", field="type", hint="use PARQUET")
    return found


def _key(name: str, written: Schema) -> str:
    found = column(written, name, field="")
    if kind(found.type) in ("nested", "binary") or found.type in [Scalar(each) for each in FRACTIONS]:  # type: ignore[arg-type]  # names of scalars
        raise NodeError(f"{found.name!r} is {found.type}, which can't be a key", hint="use a column of whole values")
    return found.name


class SourceObjectStorage(ObjectStorage):
    """Read the objects under a prefix."""

    category: ClassVar = "SOURCE"
    group: ClassVar = "Object storage"
    arity: ClassVar = (0, 0)
    examples: ClassVar = (
        Example(
            title="CSV: columns by name, what does not parse is null and counted, empty text is not missing",
            files={"part.csv": 'qty,sku,ignored\n3,A,x\nmany,"",y\n,"B ""b""\nC",z\n'},
            fields=_ORDERS,
            gives=Table.of("sku string, qty int", ("A", 3), ("", None), ('B "b"\nC', None)),
            bad_values={"qty": 1},
        ),
        Example(
            title="JSON, one object a line or one array: a missing key is null",
            files={"a.json": '{"sku": "A", "qty": 3}\n{"sku": "B"}\n', "b.json": '[{"qty": "x", "sku": null}]'},
            fields={**_ORDERS, "dataType": "JSON"},
            gives=Table.of("sku string, qty int", ("A", 3), ("B", None), (None, None)),
            bad_values={"qty": 1},
        ),
    )

    type: Literal["SOURCE_OBS"] = "SOURCE_OBS"
    data_type: Annotated[
        Literal["JSON", "CSV", "PARQUET", "NDJSON"],
        Described(description="JSON takes an array of objects, or one object a line; NDJSON only the latter."),
        Widget("select", "Format"),
    ]
    field_list: Annotated[
        tuple[FieldSpec, ...],
        Described(min_length=1, description="The columns and their types."),
        Widget("fields", "Columns"),
    ]
    options: Annotated[ReadOptions, Described(description="How to read the files.")] = ReadOptions()

    def plan(self, *parents: Op) -> Op:
        """A read of the declared fields."""
        del parents
        if faults := self.options.faults(self.data_type):
            raise NodeError.of(faults)
        declared = Schema(self._fields(self.field_list, self.data_type))
        return Read(
            node_id=self.id,
            node=self.name,
            place=self._place(),
            format=self.data_type,
            declared=declared,
            used=declared,
            dialect=self.options.dialect(),
            bad_values=self.options.mode,
        )


class TargetObjectStorage(ObjectStorage):
    """Write files under a prefix."""

    category: ClassVar = "TARGET"
    group: ClassVar = "Object storage"
    examples: ClassVar = (
        Example(
            title="CSV: a missing value is nothing, empty text is two quotes",
            given=(
                Table.of(
                    "sku string, at timestamp, sold boolean", ("A,b", None, True), ("", None, None), (None, None, False)
                ),
            ),
            fields={
                **_ORDERS,
                "updateType": "OVERWRITE",
                "fieldList": [{"name": "sku", "type": "string"}, {"name": "sold", "type": "boolean"}],
            },
            writes='sku,sold\n"A,b",true\n"",\n,false\n',
        ),
        Example(
            title="JSON: one object a line, missing values as null, NaN as null and counted",
            given=(Table.of("sku string, price double", ("A", 1.5), ("B", float("nan")), (None, None)),),
            fields={
                **_ORDERS,
                "dataType": "JSON",
                "fieldList": [{"name": "sku", "type": "string"}, {"name": "price", "type": "double"}],
            },
            writes='{"sku":"A","price":1.5}\n{"sku":"B","price":null}\n{"sku":null,"price":null}\n',
            bad_values={"price": 1},
        ),
    )

    type: Literal["TARGET_OBS"] = "TARGET_OBS"
    data_type: Annotated[
        Literal["JSON", "CSV", "PARQUET"],
        Described(description="JSON is one object a line."),
        Widget("select", "Format"),
    ]
    update_type: Annotated[
        WriteMode,
        Described(
            description="OVERWRITE replaces the data there, APPEND adds, IGNORE writes only when there is none, "
            "MERGE (ours, Parquet alone) replaces the rows with equal keys and adds the others."
        ),
        Widget("select", "Update"),
    ] = "APPEND"
    merge_key_list: Annotated[
        tuple[str, ...],
        Described(description="MERGE: the columns by which a row is the same."),
        Widget("columns", "Keys"),
    ] = ()
    coalesce: Annotated[
        Annotated[Whole, Described(ge=1, le=10_000)] | None, Described(description="The greatest number of files.")
    ] = None
    field_list: Annotated[
        tuple[FieldSpec, ...], Described(min_length=1, description="The columns to write."), Widget("fields", "Columns")
    ]
    options: Annotated[WriteOptions, Described(description="How to write the files.")] = WriteOptions()

    def plan(self, *parents: Op) -> Op:
        """A write of the declared fields, cast to their types."""
        (parent,) = parents
        place = self._place()
        if not place.prefix:
            raise NodeError(
                f"{self.update_type} of a whole bucket is refused",
                field="prefix",
                hint="name a prefix inside the bucket",
            )
        if faults := [*self.options.faults(self.data_type), *self._merge_faults()]:
            raise NodeError.of(faults)
        fields = self._fields(self.field_list, self.data_type)
        keys = each(self.merge_key_list, lambda key: _key(key, Schema(fields)), field="mergeKeyList")
        columns = each(fields, lambda f: Named(f.name, self._value(f, parent.schema)), field="fieldList")
        rows: Op = Project(node_id=self.id, node=self.name, parent=parent, columns=columns)
        return Write(
            node_id=self.id,
            node=self.name,
            parent=self._merged(rows, place, keys) if self.update_type == "MERGE" else rows,
            place=place,
            format=self.data_type,
            mode=self.update_type,
            coalesce=self.coalesce,
            dialect=self.options.dialect(),
        )

    def _merge_faults(self) -> list[Fault]:
        if self.update_type != "MERGE":
            return [Fault("keys belong to MERGE", "mergeKeyList", "leave them out")] if self.merge_key_list else []
        found = []
        if self.data_type != "PARQUET":
            found.append(Fault(f"MERGE into {self.data_type} is refused", "updateType", "use PARQUET"))
        if not self.merge_key_list:
            found.append(Fault("MERGE needs keys", "mergeKeyList", "name the columns by which a row is the same"))
        return found

    def _merged(self, rows: Op, place: Place, keys: tuple[str, ...]) -> Op:
        """The rows with those that lie at the place, which are of the very same columns."""
        no_repeats(keys, field="mergeKeyList")
        if secret := [key for key in keys if is_encrypted(rows, key)]:
            told, hint = f"{secret[0]!r} is encrypted, and no two such values are equal", "merge by other columns"
            raise NodeError(told, field="mergeKeyList", hint=hint)
        there = Read(
            node_id=self.id,
            node=self.name,
            place=place,
            format="PARQUET",
            declared=rows.schema,
            used=rows.schema,
            exact=True,
        )
        return Merge(node_id=self.id, node=self.name, current=there, incoming=rows, keys=keys)

    def _value(self, field: Field, schema: Schema) -> Expr:
        found = schema.find(field.name)
        if found is None:
            hint = nearest(field.name, schema.names)
            raise NodeError(f"no column {field.name!r} arrives", field="name", hint=hint, code="unknown-column")
        value = cast(Column(found.name, found.type), field.type, field="type")
        if self.data_type == "JSON" and field.type in [Scalar(name) for name in FRACTIONS]:  # type: ignore[arg-type]  # names of scalars
            return Finite(value, count_as=field.name)
        return value

    def warnings(self, *parents: Op) -> tuple[Fault, ...]:
        """The columns that arrive and are not written."""
        (parent,) = parents
        written = Schema(tuple(spec.field() for spec in self.field_list))
        left_out = [name for name in parent.schema.names if written.find(name) is None]
        if not left_out:
            return ()
        return (Fault(f"not written: {', '.join(left_out)}", "fieldList", "add them if they should be", "left-out"),)
