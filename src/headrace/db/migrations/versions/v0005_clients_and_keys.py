"""Who calls NexusOne's dialect: clients, pre-shared keys, and what our own tokens are signed with."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    _clients()
    _psks()
    _signing_keys()


def _clients() -> None:
    op.create_table(
        "clients",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("roles", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("secret_digest", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_clients")),
    )
    op.create_index("ix_clients_created", "clients", ["account_id", "created_at"], unique=False)


def _psks() -> None:
    op.create_table(
        "psks",
        sa.Column("psk_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("roles", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("job_id", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("last_used_at", sa.Double(), nullable=True),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["clients.client_id"], name=op.f("fk_psks_client_id")),
        sa.PrimaryKeyConstraint("psk_id", name=op.f("pk_psks")),
    )
    active = sa.text("revoked_at IS NULL AND job_id IS NULL")
    of_job = sa.text("revoked_at IS NULL AND job_id IS NOT NULL")
    op.create_index("uq_psks_digest", "psks", ["digest"], unique=True)
    op.create_index(
        "uq_psks_owner", "psks", ["account_id", "owner_id"], unique=True, sqlite_where=active, postgresql_where=active
    )
    op.create_index("uq_psks_job", "psks", ["job_id"], unique=True, sqlite_where=of_job, postgresql_where=of_job)


def _signing_keys() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), server_default="main", nullable=False),
        sa.Column("public", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("private", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_signing_keys")),
    )
    op.create_index("ix_signing_keys_created", "signing_keys", ["account_id", "created_at"], unique=False)
