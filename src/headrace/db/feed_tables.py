"""The tables of feeds, which are jobs that fill a table of the warehouse, and of the warehouse's columns."""

from sqlalchemy import Column, Double, ForeignKey, Index, Table, Text

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
