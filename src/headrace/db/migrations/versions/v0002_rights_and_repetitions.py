"""Rights of keys, repeated requests, an outbox that tries again, and what retention looks executions up by."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add to the first tables, and make two more."""
    op.add_column("access_keys", sa.Column("policies", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("audit", sa.Column("access_key", sa.Text(), nullable=True))
    op.add_column("audit", sa.Column("trace_id", sa.Text(), nullable=True))
    op.add_column("executions", sa.Column("requested_by", sa.Text(), nullable=True))
    op.add_column("executions", sa.Column("grants", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("executions", sa.Column("warnings", sa.JSON(none_as_null=True), nullable=True))
    _outbox()
    _scripts()
    op.create_index("ix_executions_ended", "executions", ["ended_at"], unique=False)
    _executions_of_a_job()
    _seen_requests()
    _first_answers()


def _executions_of_a_job() -> None:
    op.drop_index("ix_executions_of_job", table_name="executions")
    of_job: list[sa.ColumnElement[object]] = [
        sa.column("account_id"),
        sa.column("job_id"),
        sa.column("created_at").desc(),
        sa.column("execution_id"),
    ]
    op.create_index("ix_executions_of_job", "executions", of_job)
    op.add_column("jobs", sa.Column("execution_count", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.execute(
        "UPDATE jobs SET execution_count = (SELECT count(*) FROM executions WHERE executions.job_id = jobs.job_id)"
    )


def _outbox() -> None:
    op.add_column("outbox", sa.Column("consumer", sa.Text(), server_default="objects", nullable=False))
    op.add_column("outbox", sa.Column("available_at", sa.Double(), server_default=sa.text("0"), nullable=False))
    op.add_column("outbox", sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("outbox", sa.Column("failure", sa.Text(), nullable=True))
    op.drop_index("ix_outbox_undone", "outbox")
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["consumer", "available_at", "id"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index("ix_outbox_done", "outbox", ["done_at"], unique=False)


def _scripts() -> None:
    op.create_table(
        "scripts",
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["execution_id"], ["executions.execution_id"], name=op.f("fk_scripts_execution_id")),
        sa.PrimaryKeyConstraint("execution_id", name=op.f("pk_scripts")),
    )


def _seen_requests() -> None:
    op.create_table(
        "seen_requests",
        sa.Column("access_key", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("body_digest", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("access_key", "signature", name=op.f("pk_seen_requests")),
    )
    op.create_index("ix_seen_requests_at", "seen_requests", ["at"], unique=False)


def _first_answers() -> None:
    op.create_table(
        "first_answers",
        sa.Column("access_key", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("request_digest", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("access_key", "idempotency_key", name=op.f("pk_first_answers")),
    )
    op.create_index("ix_first_answers_at", "first_answers", ["at"], unique=False)
