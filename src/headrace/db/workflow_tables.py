"""The tables of workflows, of their runs, and of what starts them."""

from sqlalchemy import Boolean, CheckConstraint, Column, Double, ForeignKey, Index, Integer, Table, Text, text

from headrace.db.columns import LIVE, METADATA, account, json, one_of

workflows = Table(
    "workflows",
    METADATA,
    Column("workflow_id", Text, primary_key=True),
    account(),
    Column("name", Text, nullable=False),
    Column("is_temp", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    # The trigger that starts it, out of its nodes; a draft may name one that is not there.
    Column("trigger_id", Text),
    # The key that saved it last, and which data that key's jobs may touch; none means all data. Ticks run it so.
    Column("requested_by", Text),
    json("grants"),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("deleted_at", Double),
    Column("last_run_id", Text),
    Column("last_run_at", Double),
)
Index(
    "uq_workflows_name",
    workflows.c.account_id,
    workflows.c.name,
    unique=True,
    sqlite_where=LIVE,
    postgresql_where=LIVE,
)
Index("ix_workflows_created", workflows.c.account_id, workflows.c.created_at)
Index(
    "ix_workflows_of_trigger",
    workflows.c.account_id,
    workflows.c.trigger_id,
    sqlite_where=LIVE,
    postgresql_where=LIVE,
)

workflow_revisions = Table(
    "workflow_revisions",
    METADATA,
    Column("workflow_id", Text, ForeignKey("workflows.workflow_id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    account(),
    Column("definition", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", Text, nullable=False),
)

workflow_runs = Table(
    "workflow_runs",
    METADATA,
    Column("run_id", Text, primary_key=True),
    account(),
    Column("workflow_id", Text, ForeignKey("workflows.workflow_id"), nullable=False),
    Column("workflow_name", Text, nullable=False),
    Column("workflow_revision", Integer, nullable=False),
    Column("trigger_id", Text, nullable=False),
    Column("trigger_name", Text, nullable=False),
    # The instant of the tick that started it; none when somebody did.
    Column("scheduled_for", Double),
    json("payload"),
    # READY: it waits for an earlier run of its workflow to end.
    Column("status", Text, nullable=False),
    Column("cancel_requested_at", Double),
    # One more each time that it goes on from what failed.
    Column("attempt", Integer, nullable=False, server_default=text("1")),
    Column("created_at", Double, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("requested_by", Text),
    json("grants"),
    Column("started_at", Double),
    Column("ended_at", Double),
    one_of("status", "READY", "RUNNING", "COMPLETED", "FAILED", "CANCELED"),
    CheckConstraint("(status IN ('COMPLETED', 'FAILED', 'CANCELED')) = (ended_at IS NOT NULL)", name="ended"),
)
_unended = text("ended_at IS NULL")
Index(
    "ix_workflow_runs_unended",
    workflow_runs.c.workflow_id,
    workflow_runs.c.created_at,
    sqlite_where=_unended,
    postgresql_where=_unended,
)
Index(
    "ix_workflow_runs_of_workflow",
    workflow_runs.c.account_id,
    workflow_runs.c.workflow_id,
    workflow_runs.c.created_at.desc(),
)
Index("ix_workflow_runs_ended", workflow_runs.c.ended_at)
# One instant of a trigger starts a workflow once.
Index(
    "uq_workflow_runs_tick",
    workflow_runs.c.workflow_id,
    workflow_runs.c.trigger_id,
    workflow_runs.c.scheduled_for,
    unique=True,
)

workflow_run_jobs = Table(
    "workflow_run_jobs",
    METADATA,
    Column("run_id", Text, ForeignKey("workflow_runs.run_id"), primary_key=True),
    Column("job_id", Text, primary_key=True),
    account(),
    Column("job_name", Text, nullable=False),
    Column("position", Integer, nullable=False),
    # The jobs that it waits for, and how they must have ended.
    json("parents", nullable=False),
    Column("run_on", Text, nullable=False),
    json("condition"),
    json("parameters"),
    # STARTED: its execution waits or runs. SKIPPED: it never ran in this run, and never will.
    Column("status", Text, nullable=False),
    Column("execution_id", Text),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    json("failure"),
    Column("ended_at", Double),
    one_of("run_on", "SUCCEEDED", "FAILED", "DONE"),
    one_of("status", "WAITING", "STARTED", "COMPLETED", "FAILED", "CANCELED", "SKIPPED"),
)
Index("uq_workflow_run_jobs_execution", workflow_run_jobs.c.execution_id, unique=True)

triggers = Table(
    "triggers",
    METADATA,
    Column("trigger_id", Text, primary_key=True),
    account(),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    json("rule", nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("start_at", Double),
    Column("end_at", Double),
    # What becomes of instants that nobody was there for, and of those whose workflow still runs.
    Column("misfire", Text, nullable=False),
    Column("misfire_window", Double),
    Column("overlap", Text, nullable=False),
    Column("paused_at", Double),
    Column("next_fire_at", Double),
    Column("revision", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("deleted_at", Double),
    one_of("type", "SCHEDULED", "EVENT", "NONE"),
    one_of("misfire", "SKIP", "LATEST", "ALL"),
    one_of("overlap", "QUEUE", "SKIP", "ALLOW", "CANCEL_PREVIOUS"),
)
_due = text("next_fire_at IS NOT NULL AND paused_at IS NULL AND deleted_at IS NULL")
Index("uq_triggers_name", triggers.c.account_id, triggers.c.name, unique=True, sqlite_where=LIVE, postgresql_where=LIVE)
Index("ix_triggers_created", triggers.c.account_id, triggers.c.created_at)
Index("ix_triggers_due", triggers.c.next_fire_at, sqlite_where=_due, postgresql_where=_due)

# An instant of a trigger, once; `outcome` and `detail` say what became of it, workflow by workflow.
ticks = Table(
    "ticks",
    METADATA,
    Column("trigger_id", Text, ForeignKey("triggers.trigger_id"), primary_key=True),
    Column("instant", Double, primary_key=True),
    account(),
    Column("at", Double, nullable=False),
    Column("outcome", Text, nullable=False),
    json("detail"),
    one_of("outcome", "STARTED", "SKIPPED", "MISSED"),
)
Index("ix_ticks_at", ticks.c.at)
