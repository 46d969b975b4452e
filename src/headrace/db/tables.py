"""The tables, once for both databases; `migrations` holds how a database comes to have them.

Moments are seconds since 1970 in UTC. Every table has the account first in its indexes, but those of the queue:
workers serve all accounts.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from headrace.db.columns import LIVE, METADATA
from headrace.db.columns import account as _account
from headrace.db.columns import counted as _counted
from headrace.db.columns import json as _json
from headrace.db.columns import one_of as _one_of
from headrace.db.feed_tables import data_grants, feeds, uploads, warehouse_tables
from headrace.db.identity_tables import clients, psks, signing_keys
from headrace.db.workflow_tables import (
    ticks,
    triggers,
    workflow_revisions,
    workflow_run_jobs,
    workflow_runs,
    workflows,
)

__all__ = [
    "METADATA",
    "VERSION",
    "access_keys",
    "accounts",
    "attempts",
    "audit",
    "clients",
    "data_grants",
    "execution_hours",
    "executions",
    "feeds",
    "first_answers",
    "job_figures",
    "job_revisions",
    "jobs",
    "log_chunks",
    "outbox",
    "psks",
    "seen_requests",
    "signing_keys",
    "ticks",
    "triggers",
    "uploads",
    "warehouse_tables",
    "workflow_revisions",
    "workflow_run_jobs",
    "workflow_runs",
    "workflows",
]

# The schema that this program works with: the last file in migrations/versions.
VERSION = "0008"

# One row for each account that has made something: `bucket` is where its scripts and logs go by default.
accounts = Table(
    "accounts",
    METADATA,
    Column("account_id", Text, primary_key=True),
    Column("bucket", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    # All hours before this one, counted from 1970, stand in `execution_hours`.
    Column("summed_until", Integer),
    # What ended before that moment stands in `job_figures`.
    Column("figures_until", Double),
)

# The executions that were created in an hour, once all of them have ended: figures stay when executions are removed.
execution_hours = Table(
    "execution_hours",
    METADATA,
    Column("account_id", Text, primary_key=True, server_default="main"),
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("total", Integer, nullable=False),
    Column("completed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
)

# The executions of a job that were created in an hour, or in a day of 24, as far as they have ended. `ran`
# and `waited` say how many did so for how long (`core.spreads`).
job_figures = Table(
    "job_figures",
    METADATA,
    Column("account_id", Text, primary_key=True, server_default="main"),
    Column("hours", Integer, primary_key=True, autoincrement=False),
    Column("first_hour", Integer, primary_key=True, autoincrement=False),
    Column("job_id", Text, primary_key=True),
    Column("total", Integer, nullable=False),
    Column("completed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("canceled", Integer, nullable=False),
    Column("rows_read", BigInteger, nullable=False),
    Column("rows_written", BigInteger, nullable=False),
    Column("ran", Text, nullable=False),
    Column("waited", Text, nullable=False),
)

jobs = Table(
    "jobs",
    METADATA,
    Column("job_id", Text, primary_key=True),
    _account(),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("generation", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("max_concurrent_runs", Integer, nullable=False),
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("retries", Integer, nullable=False, server_default=text("0")),
    _json("condition", nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("deleted_at", Double),
    Column("last_execution_id", Text),
    Column("last_execution_status", Text),
    Column("last_execution_at", Double),
    # How many executions of it are kept: to count them at each look takes too long when they are a million.
    Column("execution_count", Integer, nullable=False, server_default=text("0")),
    _one_of("generation", "2025", "2026"),
    _one_of("status", "RUNNABLE", "DRAFT", "EDITING", "DELETED"),
)
Index("uq_jobs_name", jobs.c.account_id, jobs.c.name, unique=True, sqlite_where=LIVE, postgresql_where=LIVE)
Index("ix_jobs_created", jobs.c.account_id, jobs.c.created_at)

job_revisions = Table(
    "job_revisions",
    METADATA,
    Column("job_id", Text, ForeignKey("jobs.job_id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    _account(),
    Column("definition", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", Text, nullable=False),
)

executions = Table(
    "executions",
    METADATA,
    Column("execution_id", Text, primary_key=True),
    _account(),
    Column("kind", Text, nullable=False, server_default="job"),
    Column("type", Text, nullable=False),
    Column("job_id", Text, ForeignKey("jobs.job_id"), nullable=False),
    Column("job_name", Text, nullable=False),
    Column("job_revision", Integer, nullable=False),
    _json("condition", nullable=False),
    _json("parameters", nullable=False),
    Column("status", Text, nullable=False),
    Column("cancel_requested_at", Double),
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("pool", Text, nullable=False, server_default="default"),
    Column("created_at", Double, nullable=False),
    Column("available_at", Double, nullable=False),
    # Where it stands in the queue, the lowest first: the moment of creation, earlier for a higher priority.
    Column("turn", Double, nullable=False),
    Column("started_at", Double),
    Column("ended_at", Double),
    Column("executor_num", Integer),
    # Attempts begun; of these, `errors` failed by themselves and `losses` lost their worker.
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("max_attempts", Integer, nullable=False),
    Column("errors", Integer, nullable=False, server_default=text("0")),
    Column("losses", Integer, nullable=False, server_default=text("0")),
    Column("deadline", Double),
    Column("lease_token", Text),
    Column("lease_owner", Text),
    Column("lease_expires_at", Double),
    _json("state"),
    _json("failure"),
    _json("report"),
    # Of all its sources, and of all its targets, once it has completed.
    Column("rows_read", BigInteger),
    Column("rows_written", BigInteger),
    # What went wrong beside the run, such as a log that could not be written: a list of texts.
    _json("warnings"),
    Column("trigger_id", Text),
    Column("trigger_name", Text),
    Column("workflow_id", Text),
    Column("workflow_run_id", Text),
    # The key that asked for it, and which data that key's jobs may touch; none means all data.
    Column("requested_by", Text),
    _json("grants"),
    _one_of("type", "JOB", "WORKFLOW"),
    _one_of("status", "READY", "RUNNING", "COMPLETED", "FAILED", "CANCELED"),
    CheckConstraint("(status = 'RUNNING') = (lease_token IS NOT NULL)", name="leased"),
    CheckConstraint("(status IN ('COMPLETED', 'FAILED', 'CANCELED')) = (ended_at IS NOT NULL)", name="ended"),
)
_waiting, _running = text("status = 'READY'"), text("status = 'RUNNING'")
Index(
    "ix_executions_waiting",
    executions.c.pool,
    executions.c.turn,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)
Index("ix_executions_leased", executions.c.lease_expires_at, sqlite_where=_running, postgresql_where=_running)
Index("ix_executions_running", executions.c.job_id, sqlite_where=_running, postgresql_where=_running)
Index("uq_executions_lease", executions.c.lease_token, unique=True)
Index("ix_executions_ended", executions.c.ended_at)
# All that the order of a list needs: a page far behind is found without a look at the rows before it.
Index(
    "ix_executions_of_job",
    executions.c.account_id,
    executions.c.job_id,
    executions.c.created_at.desc(),
    executions.c.execution_id,
)
Index("ix_executions_created", executions.c.account_id, executions.c.created_at, executions.c.status)
_of_workflow = text("workflow_run_id IS NOT NULL")
Index(
    "ix_executions_of_workflow",
    executions.c.account_id,
    executions.c.workflow_id,
    executions.c.created_at.desc(),
    sqlite_where=_of_workflow,
    postgresql_where=_of_workflow,
)

attempts = Table(
    "attempts",
    METADATA,
    Column("execution_id", Text, ForeignKey("executions.execution_id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    _account(),
    Column("worker", Text, nullable=False),
    Column("pid", Integer),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("outcome", Text),
    _json("failure"),
    # What stands for work outside of the child, so that somebody else can end it.
    _json("handle"),
    _one_of("outcome", "COMPLETED", "FAILED", "CANCELED", "LOST", "PUT_BACK"),
)

log_chunks = Table(
    "log_chunks",
    METADATA,
    _counted(),
    _account(),
    Column("execution_id", Text, ForeignKey("executions.execution_id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_log_chunks_of_execution", "execution_id", "id"),
    sqlite_autoincrement=True,
)

# What the last attempt ran, as a text for people in the language of its engine.
scripts = Table(
    "scripts",
    METADATA,
    Column("execution_id", Text, ForeignKey("executions.execution_id"), primary_key=True),
    _account(),
    Column("attempt", Integer, nullable=False),
    Column("engine", Text, nullable=False),
    Column("text", Text, nullable=False),
)

access_keys = Table(
    "access_keys",
    METADATA,
    Column("access_key", Text, primary_key=True),
    _account(),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    # Encrypted; the key is not in the database.
    Column("secret", Text, nullable=False),
    # What it may do and which data its jobs may touch; none of either means all that the role allows.
    _json("policies"),
    _json("grants"),
    Column("created_at", Double, nullable=False),
    Column("revoked_at", Double),
    _one_of("role", "manager", "viewer"),
    UniqueConstraint("account_id", "access_key"),
)

audit = Table(
    "audit",
    METADATA,
    _counted(),
    _account(),
    Column("at", Double, nullable=False),
    Column("principal", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("access_key", Text),
    Column("trace_id", Text),
    _json("detail"),
    Index("ix_audit_at", "account_id", "at"),
    sqlite_autoincrement=True,
)

# What follows from a change: a row for each consumer that is to hear of it, written in the same transaction.
outbox = Table(
    "outbox",
    METADATA,
    _counted(),
    _account(),
    Column("at", Double, nullable=False),
    Column("consumer", Text, nullable=False, server_default="objects"),
    Column("kind", Text, nullable=False),
    _json("payload", nullable=False),
    Column("done_at", Double),
    # What could not be done is tried again, not before `available_at`; `failure` says why.
    Column("available_at", Double, nullable=False, server_default=text("0")),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("failure", Text),
    sqlite_autoincrement=True,
)
_undone = text("done_at IS NULL")
Index(
    "ix_outbox_waiting",
    outbox.c.consumer,
    outbox.c.available_at,
    outbox.c.id,
    sqlite_where=_undone,
    postgresql_where=_undone,
)
Index("ix_outbox_done", outbox.c.done_at)

# Requests that change something, by their signature: one that is sent again with another body is refused.
seen_requests = Table(
    "seen_requests",
    METADATA,
    Column("access_key", Text, primary_key=True),
    Column("signature", Text, primary_key=True),
    _account(),
    Column("body_digest", Text, nullable=False),
    Column("at", Double, nullable=False),
)
Index("ix_seen_requests_at", seen_requests.c.at)

# First answers, given again to a request with the same Idempotency-Key.
first_answers = Table(
    "first_answers",
    METADATA,
    Column("access_key", Text, primary_key=True),
    Column("idempotency_key", Text, primary_key=True),
    _account(),
    # What was asked: another request under the same key is a mistake of the caller.
    Column("request_digest", Text, nullable=False),
    Column("status", Integer),
    _json("headers"),
    Column("body", Text),
    Column("at", Double, nullable=False),
)
Index("ix_first_answers_at", first_answers.c.at)
