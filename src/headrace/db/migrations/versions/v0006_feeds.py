"""Feeds, and the columns of the warehouse's tables."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
    _feeds()
    op.create_table(
        "warehouse_tables",
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("schema_name", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("columns", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "schema_name", "table_name", name=op.f("pk_warehouse_tables")),
    )


def _feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("feed_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("trigger_id", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("source", "destination", "properties", "schedule")),
        sa.Column("reported_status", sa.Text(), nullable=True),
        sa.Column("reported_message", sa.Text(), nullable=True),
        sa.Column("reported_at", sa.Double(), nullable=True),
        sa.Column("reported_started_at", sa.Double(), nullable=True),
        sa.Column("reported_completed_at", sa.Double(), nullable=True),
        sa.Column("reported_failed_at", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("deleted_at", sa.Double(), nullable=True),
        sa.CheckConstraint(
            "reported_status IN ('new', 'running', 'completed', 'failed')", name=op.f("ck_feeds_reported_status")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name=op.f("fk_feeds_job_id")),
        sa.ForeignKeyConstraint(["trigger_id"], ["triggers.trigger_id"], name=op.f("fk_feeds_trigger_id")),
        sa.PrimaryKeyConstraint("feed_id", name=op.f("pk_feeds")),
    )
    live = sa.text("deleted_at IS NULL")
    op.create_index("ix_feeds_created", "feeds", ["account_id", "created_at"], unique=False)
    op.create_index(
        "ix_feeds_of_trigger",
        "feeds",
        ["account_id", "trigger_id"],
        unique=False,
        sqlite_where=live,
        postgresql_where=live,
    )
