"""Workflows, their runs, the triggers that start them, and the ticks of those."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_LIVE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Make the tables, and say of an execution which run of a workflow it belongs to."""
    _triggers()
    _ticks()
    _workflows()
    _workflow_revisions()
    _workflow_runs()
    _indexes_of_workflow_runs()
    _workflow_run_jobs()
    _executions()


def _triggers() -> None:
    op.create_table(
        "triggers",
        sa.Column("trigger_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("rule", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("start_at", sa.Double(), nullable=True),
        sa.Column("end_at", sa.Double(), nullable=True),
        sa.Column("misfire", sa.Text(), nullable=False),
        sa.Column("misfire_window", sa.Double(), nullable=True),
        sa.Column("overlap", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.Double(), nullable=True),
        sa.Column("next_fire_at", sa.Double(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("deleted_at", sa.Double(), nullable=True),
        sa.CheckConstraint("misfire IN ('SKIP', 'LATEST', 'ALL')", name=op.f("ck_triggers_misfire")),
        sa.CheckConstraint(
            "overlap IN ('QUEUE', 'SKIP', 'ALLOW', 'CANCEL_PREVIOUS')", name=op.f("ck_triggers_overlap")
        ),
        sa.CheckConstraint("type IN ('SCHEDULED', 'EVENT', 'NONE')", name=op.f("ck_triggers_type")),
        sa.PrimaryKeyConstraint("trigger_id", name=op.f("pk_triggers")),
    )
    op.create_index("ix_triggers_created", "triggers", ["account_id", "created_at"], unique=False)
    due = sa.text("next_fire_at IS NOT NULL AND paused_at IS NULL AND deleted_at IS NULL")
    op.create_index(
        "ix_triggers_due", "triggers", ["next_fire_at"], unique=False, sqlite_where=due, postgresql_where=due
    )
    op.create_index(
        "uq_triggers_name", "triggers", ["account_id", "name"], unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE
    )


def _ticks() -> None:
    op.create_table(
        "ticks",
        sa.Column("trigger_id", sa.Text(), nullable=False),
        sa.Column("instant", sa.Double(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint("outcome IN ('STARTED', 'SKIPPED', 'MISSED')", name=op.f("ck_ticks_outcome")),
        sa.ForeignKeyConstraint(["trigger_id"], ["triggers.trigger_id"], name=op.f("fk_ticks_trigger_id")),
        sa.PrimaryKeyConstraint("trigger_id", "instant", name=op.f("pk_ticks")),
    )
    op.create_index("ix_ticks_at", "ticks", ["at"], unique=False)


def _workflows() -> None:
    op.create_table(
        "workflows",
        sa.Column("workflow_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_temp", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("trigger_id", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=True),
        sa.Column("grants", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("deleted_at", sa.Double(), nullable=True),
        sa.Column("last_run_id", sa.Text(), nullable=True),
        sa.Column("last_run_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("workflow_id", name=op.f("pk_workflows")),
    )
    op.create_index("ix_workflows_created", "workflows", ["account_id", "created_at"], unique=False)
    op.create_index(
        "ix_workflows_of_trigger",
        "workflows",
        ["account_id", "trigger_id"],
        unique=False,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_index(
        "uq_workflows_name",
        "workflows",
        ["account_id", "name"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )


def _workflow_revisions() -> None:
    op.create_table(
        "workflow_revisions",
        sa.Column("workflow_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflows.workflow_id"], name=op.f("fk_workflow_revisions_workflow_id")
        ),
        sa.PrimaryKeyConstraint("workflow_id", "revision", name=op.f("pk_workflow_revisions")),
    )


def _workflow_runs() -> None:
    op.create_table(
        "workflow_runs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("workflow_id", sa.Text(), nullable=False),
        sa.Column("workflow_name", sa.Text(), nullable=False),
        sa.Column("workflow_revision", sa.Integer(), nullable=False),
        sa.Column("trigger_id", sa.Text(), nullable=False),
        sa.Column("trigger_name", sa.Text(), nullable=False),
        sa.Column("scheduled_for", sa.Double(), nullable=True),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("cancel_requested_at", sa.Double(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=True),
        sa.Column("grants", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.CheckConstraint(
            "(status IN ('COMPLETED', 'FAILED', 'CANCELED')) = (ended_at IS NOT NULL)",
            name=op.f("ck_workflow_runs_ended"),
        ),
        sa.CheckConstraint(
            "status IN ('READY', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELED')", name=op.f("ck_workflow_runs_status")
        ),
        sa.ForeignKeyConstraint(["workflow_id"], ["workflows.workflow_id"], name=op.f("fk_workflow_runs_workflow_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_workflow_runs")),
    )


def _indexes_of_workflow_runs() -> None:
    op.create_index("ix_workflow_runs_ended", "workflow_runs", ["ended_at"], unique=False)
    op.create_index(
        "ix_workflow_runs_of_workflow",
        "workflow_runs",
        ["account_id", "workflow_id", sa.literal_column("created_at DESC")],
        unique=False,
    )
    unended = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_workflow_runs_unended",
        "workflow_runs",
        ["workflow_id", "created_at"],
        unique=False,
        sqlite_where=unended,
        postgresql_where=unended,
    )
    op.create_index(
        "uq_workflow_runs_tick", "workflow_runs", ["workflow_id", "trigger_id", "scheduled_for"], unique=True
    )


def _workflow_run_jobs() -> None:
    op.create_table(
        "workflow_run_jobs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("job_name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("parents", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("run_on", sa.Text(), nullable=False),
        sa.Column("condition", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("parameters", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("execution_id", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failure", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.CheckConstraint("run_on IN ('SUCCEEDED', 'FAILED', 'DONE')", name=op.f("ck_workflow_run_jobs_run_on")),
        sa.CheckConstraint(
            "status IN ('WAITING', 'STARTED', 'COMPLETED', 'FAILED', 'CANCELED', 'SKIPPED')",
            name=op.f("ck_workflow_run_jobs_status"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["workflow_runs.run_id"], name=op.f("fk_workflow_run_jobs_run_id")),
        sa.PrimaryKeyConstraint("run_id", "job_id", name=op.f("pk_workflow_run_jobs")),
    )
    op.create_index("uq_workflow_run_jobs_execution", "workflow_run_jobs", ["execution_id"], unique=True)


def _executions() -> None:
    op.add_column("executions", sa.Column("workflow_run_id", sa.Text(), nullable=True))
    of_workflow = sa.text("workflow_run_id IS NOT NULL")
    op.create_index(
        "ix_executions_of_workflow",
        "executions",
        ["account_id", "workflow_id", sa.literal_column("created_at DESC")],
        unique=False,
        sqlite_where=of_workflow,
        postgresql_where=of_workflow,
    )
