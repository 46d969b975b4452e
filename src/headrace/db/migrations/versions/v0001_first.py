"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them all."""
    _access_keys()
    _accounts()
    _audit()
    _jobs()
    _outbox()
    _executions()
    _indexes_of_executions()
    _job_revisions()
    _attempts()
    _log_chunks()


def _access_keys() -> None:
    op.create_table(
        "access_keys",
        sa.Column("access_key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("grants", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.CheckConstraint("role IN ('manager', 'viewer')", name=op.f("ck_access_keys_role")),
        sa.PrimaryKeyConstraint("access_key", name=op.f("pk_access_keys")),
        sa.UniqueConstraint("account_id", "access_key", name=op.f("uq_access_keys_account_id_access_key")),
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_accounts")),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_at", "audit", ["account_id", "at"], unique=False)


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("generation", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("max_concurrent_runs", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("retries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("condition", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("deleted_at", sa.Double(), nullable=True),
        sa.Column("last_execution_id", sa.Text(), nullable=True),
        sa.Column("last_execution_status", sa.Text(), nullable=True),
        sa.Column("last_execution_at", sa.Double(), nullable=True),
        sa.CheckConstraint("generation IN ('2025', '2026')", name=op.f("ck_jobs_generation")),
        sa.CheckConstraint("status IN ('RUNNABLE', 'DRAFT', 'EDITING', 'DELETED')", name=op.f("ck_jobs_status")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_created", "jobs", ["account_id", "created_at"], unique=False)
    op.create_index(
        "uq_jobs_name",
        "jobs",
        ["account_id", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("done_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_undone",
        "outbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )


def _what() -> list[sa.Column[object]]:
    return [
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("kind", sa.Text(), server_default="job", nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("job_name", sa.Text(), nullable=False),
        sa.Column("job_revision", sa.Integer(), nullable=False),
        sa.Column("condition", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("parameters", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("cancel_requested_at", sa.Double(), nullable=True),
        sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("pool", sa.Text(), server_default="default", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("available_at", sa.Double(), nullable=False),
        sa.Column("turn", sa.Double(), nullable=False),
    ]


def _run() -> list[sa.Column[object]]:
    return [
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("executor_num", sa.Integer(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("losses", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("deadline", sa.Double(), nullable=True),
        sa.Column("lease_token", sa.Text(), nullable=True),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_expires_at", sa.Double(), nullable=True),
        sa.Column("state", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("failure", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("report", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("trigger_id", sa.Text(), nullable=True),
        sa.Column("trigger_name", sa.Text(), nullable=True),
        sa.Column("workflow_id", sa.Text(), nullable=True),
    ]


def _executions() -> None:
    op.create_table(
        "executions",
        *_what(),
        *_run(),
        sa.CheckConstraint("(status = 'RUNNING') = (lease_token IS NOT NULL)", name=op.f("ck_executions_leased")),
        sa.CheckConstraint(
            "(status IN ('COMPLETED', 'FAILED', 'CANCELED')) = (ended_at IS NOT NULL)", name=op.f("ck_executions_ended")
        ),
        sa.CheckConstraint(
            "status IN ('READY', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELED')", name=op.f("ck_executions_status")
        ),
        sa.CheckConstraint("type IN ('JOB', 'WORKFLOW')", name=op.f("ck_executions_type")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name=op.f("fk_executions_job_id")),
        sa.PrimaryKeyConstraint("execution_id", name=op.f("pk_executions")),
    )


def _indexes_of_executions() -> None:
    op.create_index(
        "ix_executions_leased",
        "executions",
        ["lease_expires_at"],
        unique=False,
        sqlite_where=sa.text("status = 'RUNNING'"),
        postgresql_where=sa.text("status = 'RUNNING'"),
    )
    op.create_index(
        "ix_executions_of_job",
        "executions",
        ["account_id", "job_id", sa.literal_column("created_at DESC")],
        unique=False,
    )
    op.create_index(
        "ix_executions_running",
        "executions",
        ["job_id"],
        unique=False,
        sqlite_where=sa.text("status = 'RUNNING'"),
        postgresql_where=sa.text("status = 'RUNNING'"),
    )
    op.create_index(
        "ix_executions_waiting",
        "executions",
        ["pool", "turn"],
        unique=False,
        sqlite_where=sa.text("status = 'READY'"),
        postgresql_where=sa.text("status = 'READY'"),
    )
    op.create_index("uq_executions_lease", "executions", ["lease_token"], unique=True)


def _job_revisions() -> None:
    op.create_table(
        "job_revisions",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name=op.f("fk_job_revisions_job_id")),
        sa.PrimaryKeyConstraint("job_id", "revision", name=op.f("pk_job_revisions")),
    )


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("failure", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("handle", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('COMPLETED', 'FAILED', 'CANCELED', 'LOST', 'PUT_BACK')", name=op.f("ck_attempts_outcome")
        ),
        sa.ForeignKeyConstraint(["execution_id"], ["executions.execution_id"], name=op.f("fk_attempts_execution_id")),
        sa.PrimaryKeyConstraint("execution_id", "number", name=op.f("pk_attempts")),
    )


def _log_chunks() -> None:
    op.create_table(
        "log_chunks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["execution_id"], ["executions.execution_id"], name=op.f("fk_log_chunks_execution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_chunks")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_log_chunks_of_execution", "log_chunks", ["execution_id", "id"], unique=False)
