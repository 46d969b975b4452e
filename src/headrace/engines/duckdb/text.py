"""The DuckDB script of a plan: as it runs, over files, and as people read it, over places."""

from collections.abc import Callable, Sequence

from headrace.engines import encryption
from headrace.engines.dialects import DuckDbDialect
from headrace.engines.duckdb import sources
from headrace.engines.packing import ENDINGS, Packing
from headrace.engines.raw import Raw
from headrace.engines.sql import Generator, Script, numbered
from headrace.plan.casts import kind
from headrace.plan.ops import Read, Sink, Write
from headrace.plan.types import STRING

SQL = DuckDbDialect()
EXTENSIONS = {"CSV": "csv", "JSON": "json", "NDJSON": "json", "PARQUET": "parquet"}


def generated(
    sinks: Sequence[Sink],
    *,
    raw: Callable[[Read], Raw],
    write: Callable[[Write, str], str],
    whole: bool = False,
) -> Script:
    """The statements of a plan; `whole` is as in Generator."""
    return Generator(SQL, raw=raw, write=write, counts=True, whole=whole).generate(sinks)


def shown(sinks: Sequence[Sink]) -> str:
    """The plan as a text that people read."""
    script = generated(sinks, raw=_place, write=lambda write, select: copy(write, select, f"{write.place}/part"))
    used = prologue(script)
    before = [*(f"{line};" for line in used), ""] if used else []
    return "\n".join((*encryption.said_by_duckdb(sinks), *before, *numbered(script.steps)))


def prologue(script: Script) -> list[str]:
    """What comes before the steps: the casts as macros, and a counter for each column whose values may be bad."""
    statements = [step.statement for step in script.steps]
    macros = _macros([statement for statement in statements if "sql_" in statement])
    counters = (f"CREATE TEMP SEQUENCE {counter.name}" for counter in script.counters)
    return [*_used(DuckDbDialect.MACROS, [*macros, *statements]), *macros, *counters]


def _macros(statements: Sequence[str]) -> list[str]:
    """Those of SQL nodes, which are loaded for a script that has such a node."""
    if not statements:
        return []
    from headrace.engines import functions

    return functions.macros(statements)


def _used(macros: Sequence[str], statements: Sequence[str]) -> list[str]:
    """Those of the macros that the statements call, and those that these call; a macro stands behind what it calls."""
    used: list[str] = []
    for macro in reversed(macros):
        name = macro.removeprefix("CREATE TEMP MACRO ").split("(")[0]
        if any(f"{name}(" in text for text in (*statements, *(called.partition(" AS ")[2] for called in used))):
            used.append(macro)
    return used[::-1]


def _place(read: Read) -> Raw:
    place = SQL.text(f"{read.place}/**")
    types = {f.name: f.type if kind(f.type) == "nested" else STRING for f in read.declared}
    match read.format:
        case "CSV":
            told = sources.csv_options(read.dialect, read.declared.names)
            options = sources.shown({k: v for k, v in told.items() if k != "compression"})
            return Raw(f"read_csv({place}, {options})", dict(types))
        case "PARQUET":
            return Raw(f"read_parquet({place})", {f.name: f.type for f in read.declared})
        case _:
            columns = ", ".join(f"{SQL.text(n)}: {SQL.text(SQL.type_name(t))}" for n, t in types.items())
            return Raw(f"read_json({place}, records = true, columns = {{{columns}}})", dict(types))


def copy(write: Write, select: str, file: str) -> str:
    """The statement that writes the rows of a query into one file."""
    return f"COPY (\n{select}\n) TO {SQL.text(file)} ({_options(write)})"


def _packing(write: Write) -> Packing:
    """How the engine compresses: text in another encoding is compressed when it has that encoding."""
    return Packing.NONE if write.dialect.encoding != "UTF-8" else Packing(write.dialect.compression)


def file_name(write: Write) -> str:
    """The name of the file that the engine writes."""
    ending = "" if write.format == "PARQUET" else ENDINGS[_packing(write)]
    return f"part.{EXTENSIONS[write.format]}{ending}"


def final_name(write: Write) -> str:
    """The name of the file when it has its encoding."""
    ending = "" if write.format == "PARQUET" else ENDINGS[Packing(write.dialect.compression)]
    return f"part.{EXTENSIONS[write.format]}{ending}"


def _options(write: Write) -> str:
    d = write.dialect
    match write.format:
        case "CSV":
            packed = f", COMPRESSION {_packing(write).lower()}" if _packing(write) is not Packing.NONE else ""
            signs = f"DELIMITER {SQL.text(d.delimiter)}, QUOTE {SQL.text(d.quote)}, ESCAPE {SQL.text(d.escape)}"
            return f"FORMAT csv, HEADER {str(d.header).lower()}, {signs}, NULLSTR {SQL.text(d.null_value)}{packed}"
        case "PARQUET":
            return "FORMAT parquet, COMPRESSION zstd"
        case _:
            return f"FORMAT json, COMPRESSION {_packing(write).json_word}"


def count_written(write: Write, file: str, *, large: bool = False) -> str:
    """The query that counts the rows of a file that was just written; `large` reads records up to 64 MB."""
    if write.format == "PARQUET":
        return f"SELECT sum(num_rows) FROM parquet_file_metadata({sources.listed([file])})"
    if write.format == "CSV":
        more = sources.LARGE_RECORDS if large else {}
        options = sources.shown({**sources.csv_options(write.dialect, write.schema.names, _packing(write)), **more})
        return f"SELECT count(*) FROM read_csv({sources.listed([file])}, {options})"
    columns = ", ".join(f"{SQL.text(name)}: 'JSON'" for name in write.schema.names)
    options = f"compression = '{_packing(write).json_word}', records = true, columns = {{{columns}}}"
    options += f", maximum_object_size = {sources.LARGEST}" if large else ""
    return f"SELECT count(*) FROM read_json({sources.listed([file])}, {options})"
