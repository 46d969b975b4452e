"""What NexusOne's dialect is sent and answers, field by field."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from headrace.core.feeds import FeedStatus

Mode = Literal["append", "overwrite", "merge"]
JobType = Literal["airflow.dataeng", "airflow.nlp", "airflow.ingest", "airflow.airbyte", "mirror"]
STATUSES: Mapping[str, FeedStatus] = {
    "new": "new",
    "pending": "new",
    "running": "running",
    "completed": "completed",
    "success": "completed",
    "failed": "failed",
    "error": "failed",
    "cancelled": "failed",
}


def kept(text: str) -> str:
    """A text that every database can keep. Raises ValueError."""
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError("holds a sign that is no character")
    return text


Text = Annotated[str, Field(max_length=2000), AfterValidator(kept)]
LongText = Annotated[str, Field(max_length=1_000_000), AfterValidator(kept)]


class NewJob(BaseModel):
    """The body of create and update."""

    job_type: JobType
    job_name: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(kept)]
    source: Text | None = None
    destination: Text | None = None
    properties_json: Annotated[
        LongText | None,
        Field(
            description="A JSON object as a text: IngestProperties, EngineerProperties or QuestionProperties, by the "
            "type of the job.",
            json_schema_extra={"contentMediaType": "application/json"},
        ),
    ] = None
    schedule: Text | None = None


class NewStatus(BaseModel):
    """The body of the status write-back; the words of the vendor's clients, in any case."""

    status: Annotated[str, Field(max_length=40)]
    status_message: Annotated[str, Field(max_length=10_000), AfterValidator(kept)] | None = None


class Properties(BaseModel):
    """What `properties_json` holds for every type that fills a table."""

    model_config = ConfigDict(extra="forbid")

    # The vendor's SDK sends neither beside the properties.
    source: Annotated[Text | None, Field(description="As beside the properties, where it comes first.")] = None
    destination: Annotated[Text | None, Field(description="As beside the properties, where it comes first.")] = None
    mode: Annotated[Mode, Field(description="What becomes of the rows that are there.")] = "append"
    merge_keys: Annotated[tuple[str, ...], Field(description="merge: the columns by which a row is the same.")] = ()
    time_zone: Annotated[str, Field(max_length=100, description="The zone of the schedule.")] = "UTC"


class ColumnType(BaseModel):
    """A column of a source."""

    model_config = ConfigDict(extra="forbid")

    name: str
    type: str


class Transformation(BaseModel):
    """A change of one column, in the order of the list."""

    model_config = ConfigDict(extra="forbid")

    column: str
    transformation_type: Literal["cast", "rename", "drop", "encrypt"]
    target_type: Annotated[str | None, Field(description="cast: the type.")] = None
    new_name: Annotated[str | None, Field(description="rename: the name.")] = None
    encryption_key_name: Annotated[str | None, Field(description="encrypt: the name of a key of the settings.")] = None


class ReadOptions(BaseModel):
    """How the files of a source are laid out; what is left out is seen from the data."""

    model_config = ConfigDict(extra="forbid")

    header: bool | None = None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    nullValue: str | None = None
    encoding: str | None = None
    compression: str | None = None
    inferSchema: Annotated[bool | None, Field(description="false: every column of a CSV file is a string.")] = None


class IngestProperties(Properties):
    """`airflow.ingest`: the files of `source`, or the rows of a table, into the table `destination`."""

    file_id: Annotated[UUID | None, Field(description="An uploaded file, in place of a source.")] = None
    where: Annotated[LongText | None, Field(min_length=1, description="Of a table: which rows, as SQL.")] = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"mode": "merge", "merge_keys": ["id"]},
                {
                    "source": "s3://lake/raw",
                    "destination": "sales.orders",
                    "mode": "overwrite",
                    "format": "csv",
                    "read_options": {"header": True, "delimiter": ","},
                    "columns": [{"name": "id", "type": "bigint"}, {"name": "name", "type": "string"}],
                    "column_transformations": [
                        {"column": "id", "transformation_type": "cast", "target_type": "int"},
                        {"column": "name", "transformation_type": "rename", "new_name": "label"},
                        {"column": "label", "transformation_type": "encrypt", "encryption_key_name": "people"},
                    ],
                    "time_zone": "Asia/Seoul",
                },
            ]
        }
    )

    format: Annotated[
        Literal["csv", "json", "ndjson", "parquet"] | None, Field(description="Seen from the data if absent.")
    ] = None
    read_options: Annotated[ReadOptions, Field(description="How the files are laid out.")] = ReadOptions()
    columns: Annotated[tuple[ColumnType, ...], Field(description="Seen from the data if absent.")] = ()
    column_transformations: Annotated[
        tuple[Transformation, ...], Field(description="Changes of columns, one after another.")
    ] = ()


class EngineerProperties(Properties):
    """`airflow.dataeng`: the rows of a query, or of a graph of nodes, into the table `destination`: one of the two."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"mode": "overwrite", "sql": "SELECT o.name, count(*) AS n FROM sales.orders o GROUP BY o.name"},
                {
                    "mode": "merge",
                    "merge_keys": ["name"],
                    "nodes": [
                        {
                            "id": 1,
                            "type": "SOURCE_CATALOG",
                            "name": "orders",
                            "parentNodeIds": [],
                            "database": "sales",
                            "table": "orders",
                        },
                        {
                            "id": 2,
                            "type": "TRANSFORM_DROP_DUPLICATION",
                            "name": "one of each",
                            "parentNodeIds": [1],
                            "dropFieldList": ["name"],
                        },
                    ],
                },
            ]
        }
    )

    sql: Annotated[str | None, Field(min_length=1, description="One query in Spark SQL over `schema.table`.")] = None
    nodes: Annotated[
        tuple[Annotated[Any, WithJsonSchema({"type": "object"})], ...] | None,
        Field(max_length=4_999, description="Nodes of a data flow without its target."),
    ] = None


class QuestionProperties(Properties):
    """`airflow.nlp`: a query whose result is read back; without a `destination` its table has no name of its own."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"sql": "SELECT max(o.id) AS most FROM sales.orders o"}]})

    sql: Annotated[str, Field(min_length=1, description="One query in Spark SQL over `schema.table`.")]
    mode: Annotated[Mode, Field(description="What becomes of the rows that are there.")] = "overwrite"


PROPERTIES: Mapping[JobType, type[Properties]] = {
    "airflow.ingest": IngestProperties,
    "airflow.dataeng": EngineerProperties,
    "airflow.nlp": QuestionProperties,
}
"""What `properties_json` holds, by the type of the job."""


class Created(BaseModel):
    """The answer of create."""

    job_type: str
    job_name: str
    id: str
    status: str
    created_at: datetime
    source: str | None
    destination: str | None
    properties_json: str | None
    schedule: str | None


class Told(BaseModel):
    """A job as it is read."""

    job_name: str
    id: str
    owner_id: str
    job_type: str
    source: str | None
    destination: str | None
    schedule: str | None
    properties_json: str | None
    status: str
    status_message: str | None
    created_at: datetime
    last_started_at: datetime | None
    last_completed_at: datetime | None
    last_failed_at: datetime | None
    is_deleted: bool
    deleted_at: datetime | None


class Ran(BaseModel):
    """One run of a job."""

    id: str
    status: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    status_message: str | None


class Log(BaseModel):
    """A part of the log of a run; `next` is what `after` is for the part that follows."""

    log: str
    next: int
    ended: bool


class ResultColumn(BaseModel):
    """A column of a result."""

    name: str
    type: str


class Result(BaseModel):
    """Rows of the table that a job has filled; `next_start` is where the rest begins."""

    start: int
    row_count: int
    columns: list[ResultColumn]
    next_start: int | None
    data: list[list[Any]]


class JobKey(BaseModel):
    """The key for the status of one job, shown once."""

    psk: str
