"""The tables of feeds, which are jobs that fill a table of the warehouse, and of the data that these are about."""

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from headrace.db.columns import LIVE, METADATA, account, json, one_of

feeds = Table(
    "feeds",
    METADATA,
    Column("feed_id", Text, primary_key=True),
    account(),
    # What runs is an ordinary job, and what starts it by time an ordinary trigger.
    Column("job_id", Text, ForeignKey("jobs.job_id"), nullable=False),
    Column("trigger_id", Text, ForeignKey("triggers.trigger_id")),
    Column("owner_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("source", Text),
    Column("destination", Text),
    Column("properties", Text),
    Column("schedule", Text),
    # What somebody outside said of it, apart from what its own executions did.
    Column("reported_status", Text),
    Column("reported_message", Text),
    Column("reported_at", Double),
    Column("reported_started_at", Double),
    Column("reported_completed_at", Double),
    Column("reported_failed_at", Double),
    Column("created_at", Double, nullable=False),
    Column("deleted_at", Double),
    one_of("reported_status", "new", "running", "completed", "failed"),
)
Index("ix_feeds_created", feeds.c.account_id, feeds.c.created_at)
Index("ix_feeds_of_trigger", feeds.c.account_id, feeds.c.trigger_id, sqlite_where=LIVE, postgresql_where=LIVE)

# The columns that a table of the warehouse has, or will have once the job that fills it has run.
warehouse_tables = Table(
    "warehouse_tables",
    METADATA,
    Column("account_id", Text, primary_key=True, server_default="main"),
    Column("schema_name", Text, primary_key=True),
    Column("table_name", Text, primary_key=True),
    json("columns", nullable=False),
    Column("updated_at", Double, nullable=False),
)

# Files that were uploaded. One without `ready_at` is on its way, and `touched_at` says when it was last seen to come;
# one with `deleted_at` is no more, but for its object, perhaps.
uploads = Table(
    "uploads",
    METADATA,
    Column("upload_id", Text, primary_key=True),
    account(),
    Column("owner_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("bucket", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("access_count", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("touched_at", Double, nullable=False),
    Column("ready_at", Double),
    Column("accessed_at", Double),
    Column("deleted_at", Double),
)
_UNFINISHED = text("ready_at IS NULL OR deleted_at IS NOT NULL")
Index("ix_uploads_created", uploads.c.account_id, uploads.c.owner_id, uploads.c.created_at)
Index("ix_uploads_left", uploads.c.touched_at, sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED)

# Who may read or write what: `who` is a pattern of owners, `what` as it was written, `place` the data that it means.
data_grants = Table(
    "data_grants",
    METADATA,
    Column("grant_id", Text, primary_key=True),
    account(),
    Column("who", Text, nullable=False),
    Column("use", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    one_of("use", "read", "write"),
    UniqueConstraint("account_id", "who", "use", "what"),
)
