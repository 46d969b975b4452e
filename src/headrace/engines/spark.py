"""The Spark script of a plan: the text that people read.

Sources and targets stand in it with every option that decides what is read and written: Spark's defaults would trim
spaces, split quoted line breaks, read empty text as missing and leave null keys out.
"""

from collections.abc import Mapping, Sequence

from headrace.engines import encryption
from headrace.engines.dialects import SparkDialect
from headrace.engines.raw import Raw
from headrace.engines.sql import Generator, Script, numbered
from headrace.plan.casts import kind
from headrace.plan.ops import Format, Read, Sink, Write
from headrace.plan.types import STRING, Schema, Type

SQL = SparkDialect()
SETTINGS: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    # Otherwise `${env:HOME}` inside a text literal is replaced by what the server's environment holds.
    "spark.sql.variable.substitute": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}
_FORMATS: Mapping[Format, str] = {"CSV": "csv", "JSON": "json", "NDJSON": "json", "PARQUET": "parquet"}
_ENCODINGS = {"UTF-8": "UTF-8", "UTF-16": "UTF-16", "LATIN-1": "ISO-8859-1"}
# Stands for a missing value where an empty field is one: a field of this text alone can't be told from an empty one.
_NO_TEXT = "\0"


def script(sinks: Sequence[Sink]) -> str:
    """The plan as Spark text, with places instead of files."""
    steps = generated(sinks).steps
    settings = (f"SET {name} = {value};" for name, value in SETTINGS.items())
    return "\n".join((*encryption.said_by_spark(sinks), *settings, "", *numbered(steps)))


def generated(sinks: Sequence[Sink]) -> Script:
    """The statements of a plan over places."""
    return Generator(SQL, raw=_place, write=_write, counts=False).generate(sinks)


def source(read: Read, path: str, schema: Schema, *, array: bool = False) -> Raw:
    """The relation over the files at a path whose columns are those of `schema`; `array` for JSON that is one array."""
    name = SQL.quoted(f"files_{read.node_id}")
    columns = ", ".join(f"{SQL.quoted(f.name)} {SQL.type_name(f.type)}" for f in schema)
    options = {"path": path, **read_options(read, array=array)}
    view = f"CREATE OR REPLACE TEMPORARY VIEW {name} ({columns})\nUSING {_FORMATS[read.format]} {_listed(options)}"
    return Raw(name, {f.name: f.type for f in schema}, before=view)


def stored(read: Read) -> Schema:
    """The declared columns in the types in which a reader gives them: text files hold texts."""
    if read.format == "PARQUET":
        return read.declared
    return Schema(tuple(type(f)(f.name, _text_type(f.type)) for f in read.declared))


def read_options(read: Read, *, array: bool = False) -> dict[str, str]:
    """The options of Spark's reader: nothing is guessed, trimmed or dropped."""
    d = read.dialect
    below = {"recursiveFileLookup": "true"}
    match read.format:
        case "CSV":
            return {
                **below,
                **_signs(d.header, d.delimiter, d.quote, d.escape),
                "encoding": _ENCODINGS[d.encoding],
                "multiLine": "true",
                "nullValue": d.null_value or _NO_TEXT,
                "emptyValue": "",
                "mode": "PERMISSIVE",
            }
        case "JSON" | "NDJSON":
            return {**below, "multiLine": str(array).lower(), "mode": "FAILFAST"}
        case "PARQUET":
            return below


def write_options(write: Write) -> dict[str, str]:
    """The options of Spark's writer: null is nothing, empty text is two quotes, JSON writes null keys."""
    d = write.dialect
    match write.format:
        case "CSV":
            signs = _signs(d.header, d.delimiter, d.quote, d.escape)
            return {**signs, "encoding": "UTF-8", "nullValue": d.null_value, "emptyValue": d.quote * 2}
        case "JSON" | "NDJSON":
            return {"encoding": "UTF-8", "ignoreNullFields": "false"}
        case "PARQUET":
            return {"compression": "zstd"}


def _signs(header: bool, delimiter: str, quote: str, escape: str) -> dict[str, str]:
    return {
        "header": str(header).lower(),
        "sep": delimiter,
        "quote": quote,
        "escape": escape,
        "ignoreLeadingWhiteSpace": "false",
        "ignoreTrailingWhiteSpace": "false",
    }


def _place(read: Read) -> Raw:
    return source(read, f"s3a://{read.place}", stored(read))


def _write(write: Write, select: str) -> str:
    rows = select if write.coalesce is None else f"SELECT /*+ COALESCE({write.coalesce}) */ *\nFROM (\n{select}\n)"
    # Into staging, as every engine does: publishing what lies there is the store's part.
    path = SQL.text(f"s3a://{write.place}/_headrace/staged")
    return f"INSERT OVERWRITE DIRECTORY {path}\nUSING {_FORMATS[write.format]} {_listed(write_options(write))}\n{rows}"


def _listed(options: Mapping[str, str]) -> str:
    return "OPTIONS (\n" + ",\n".join(f"  {name} {SQL.text(value)}" for name, value in options.items()) + "\n)"


def _text_type(declared: Type) -> Type:
    return declared if kind(declared) == "nested" else STRING
