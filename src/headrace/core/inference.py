"""A source node suggested from data: which columns there are, of which types, and why each type was chosen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from headrace.engines import guesses, heads, packing, recode
from headrace.engines.recode import CODECS
from headrace.errors import BadData, StoreMissing
from headrace.plan.ops import Dialect, Place
from headrace.plan.types import DOUBLE, INT, Type
from headrace.stores.base import Snapshot, Store, StoredObject
from headrace.stores.publish import snapshot

_ENDINGS = {
    ".parquet": "PARQUET", ".pq": "PARQUET", ".json": "JSON", ".ndjson": "NDJSON", ".jsonl": "NDJSON", ".csv": "CSV",
}  # fmt: skip
_MISSING = ("NA", "N/A", "NULL", "null", "None", "\\N", "-", "NaN", "nan")
_WORDS = {
    "int": "whole numbers that fit an int",
    "bigint": "whole numbers",
    "double": "numbers",
    "date": "dates",
    "timestamp": "moments",
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A source node as it stands in a job, the reason for each column's type, and what else is to be known."""

    node: dict[str, Any]
    reasons: dict[str, str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of text files already, and not to be guessed."""

    encoding: str | None = None
    header: bool | None = None


_NOTHING = Told()


def suggest(place: Place | Path, store: Store, *, rows: int, told: Told = _NOTHING) -> Suggestion:
    """A node for one file, or for all that is at a place of the store. Looks at the first `rows` rows.

    Raises BadData for what does not read, and for an encoding that is not known.
    """
    if told.encoding is not None and told.encoding not in CODECS:
        raise BadData(f"there is no encoding {told.encoding!r}", hint=f"one of {', '.join(CODECS)}")
    found = _one_file(place) if isinstance(place, Path) else snapshot(store, place)
    objects = [stored for stored in found.objects if stored.size]
    if not objects:
        raise StoreMissing(f"{found.place} holds only empty objects")
    with TemporaryDirectory() as folder:
        plain = [_unpacked(stored, Path(folder)) for stored in objects]
        return _suggested(found.place, plain, rows, told, Path(folder))


def _unpacked(stored: StoredObject, folder: Path) -> StoredObject:
    how = packing.packing(stored, "AUTO")
    if how is packing.Packing.NONE:
        return stored
    with heads.opened(stored) as file:
        plain = packing.unpacked(stored, file, how, folder, lambda: None)
    return replace(plain, key=stored.key.removesuffix(packing.ENDINGS[how]))


def _suggested(place: Place, objects: Sequence[StoredObject], rows: int, told: Told, folder: Path) -> Suggestion:
    from headrace.engines.duckdb import sampling

    format_ = _format(objects[0])
    encoding, notes = "UTF-8", tuple[str, ...]()
    if format_ == "PARQUET":
        sample = sampling.sample_parquet(objects)
    elif format_ == "CSV":
        encoding = told.encoding or guesses.encoding(objects[0])
        notes = _of_encoding(encoding, told)
        sample = sampling.sample_csv(_in_utf8(objects, encoding, folder), rows, header=told.header)
    else:
        _refuse_other_json(objects[0], told)
        sample = sampling.sample_json(objects, rows)
    null = _null_value(sample) if format_ == "CSV" else ""
    chosen = {column.name: _chosen(column, null, sample.rows) for column in sample.columns}
    fields = [{"name": name, "type": str(type_)} for name, (type_, _) in chosen.items()]
    node = _node(place, format_, fields, _options(sample.dialect, null, encoding))
    return Suggestion(node, {name: f"{type_}, {why}" for name, (type_, why) in chosen.items()}, (*notes, *sample.notes))


def _of_encoding(encoding: str, told: Told) -> tuple[str, ...]:
    if told.encoding is not None or encoding in ("UTF-8", "UTF-16"):
        return ()
    return (f"the bytes are not UTF-8, and are taken for {encoding}; see whether the texts are right",)


def _in_utf8(objects: Sequence[StoredObject], encoding: str, folder: Path) -> list[StoredObject]:
    if encoding == "UTF-8":
        return list(objects)
    made = []
    for stored in objects:
        with heads.opened(stored) as file:
            made.append(recode.as_utf8(stored, file, encoding, folder, lambda: None))
    return made


def _refuse_other_json(found: StoredObject, told: Told) -> None:
    encoding = told.encoding or guesses.encoding(found)
    if encoding != "UTF-8":
        raise BadData(f"{found.key} is {encoding}, and JSON is read as UTF-8 alone", hint="save it as UTF-8")


def _one_file(path: Path) -> Snapshot:
    stat = path.stat()
    place = Place("my-bucket", path.name)
    return Snapshot(place, (StoredObject(place.bucket, path.name, stat.st_size, "", str(path.absolute())),))


def _format(found: StoredObject) -> str:
    known = _ENDINGS.get(Path(found.key).suffix.lower())
    if known == "JSON" or known is None:
        first = heads.first_text(found).lstrip()
        if first.startswith("PAR1"):
            return "PARQUET"
        if first.startswith(("{", "[")):
            return "JSON" if first.startswith("[") or known else "NDJSON"
    return known or "CSV"


def _chosen(column: Any, null: str, rows: int) -> tuple[Type | str, str]:
    if column.stored is not None:
        return column.stored, "as the file says"
    missing = column.odd[INT].count(null) and null
    values = column.values - (_count_of(column, null) if missing else 0)
    if not values:
        return "string", f"no value in {rows:,} rows"
    if column.words == column.values:
        return "boolean", f"all {values:,} values are true or false"
    if column.padded:
        return "string", f"{column.padded:,} values are numbers that begin with 0, which a number would lose"
    for type_ in column.parsing:
        if column.parsing[type_] and set(column.odd[type_]) <= ({null} if null else set()):
            note = f", {null!r} is missing" if column.odd[type_] else ""
            return type_, f"all {column.parsing[type_]:,} values are {_WORDS[str(type_)]}{note}"
    best = max(column.parsing, key=lambda t: column.parsing[t])
    if not column.parsing[best]:
        return "string", f"{values:,} texts"
    odd = next((o for o in column.odd[best] if o != null), column.odd[best][0])
    word = _WORDS[str(best)]
    return (
        "string",
        f"{column.parsing[best]:,} of {column.values:,} values are {word}, others are not, like {odd[:40]!r}",
    )


def _count_of(column: Any, null: str) -> int:
    return int(column.values - column.parsing[DOUBLE]) if column.odd[DOUBLE] == (null,) else 0


def _null_value(sample: Any) -> str:
    """The text for missing values, when columns that are numbers or moments but for it agree on one.

    Where values are also left empty there is none: with a `nullValue` what is empty would be text.
    """
    columns: Sequence[Any] = sample.columns
    if any(column.values < sample.rows for column in columns):
        return ""
    found = {
        odd[0]
        for column in columns
        for type_, odd in column.odd.items()
        if column.parsing[type_] and len(odd) == 1 and odd[0] in _MISSING
    }
    return found.pop() if len(found) == 1 else ""


def _options(dialect: Dialect | None, null: str, encoding: str) -> dict[str, Any]:
    if dialect is None:
        return {}
    plain = Dialect()
    options: dict[str, Any] = {} if encoding == plain.encoding else {"encoding": encoding}
    if not dialect.header:
        options["header"] = False
    if dialect.delimiter != plain.delimiter:
        options["delimiter"] = dialect.delimiter
    if dialect.quote != plain.quote:
        options["quote"] = dialect.quote
    if dialect.escape != dialect.quote:
        options["escape"] = dialect.escape
    return {**options, "nullValue": null} if null else options


def _node(place: Place, format_: str, fields: list[dict[str, str]], options: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "SOURCE_OBS",
        "id": 1,
        "name": place.prefix.rsplit("/", 1)[-1] or place.bucket,
        "parentNodeIds": [],
        "regionNo": place.region,
        "bucketName": place.bucket,
        "prefix": place.prefix,
        "dataType": format_,
        "fieldList": fields,
        **({"options": options} if options else {}),
    }
