"""The tables of NexusOne's dialect that say who calls: clients, keys, and what our own tokens are signed with."""

from sqlalchemy import Column, Double, ForeignKey, Index, Table, Text, text

from headrace.db.columns import METADATA, account, json

# Programs that get tokens of our own: of the secret only a digest.
clients = Table(
    "clients",
    METADATA,
    Column("client_id", Text, primary_key=True),
    account(),
    Column("name", Text, nullable=False),
    json("roles", nullable=False),
    Column("secret_digest", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("revoked_at", Double),
)
Index("ix_clients_created", clients.c.account_id, clients.c.created_at)

# Pre-shared keys: a person's own, or, with a job, one for that job's status alone. Of the key only a digest.
psks = Table(
    "psks",
    METADATA,
    Column("psk_id", Text, primary_key=True),
    account(),
    Column("owner_id", Text, nullable=False),
    Column("digest", Text, nullable=False),
    json("roles", nullable=False),
    # The client of ours whose token it was made with: it ends with that one.
    Column("client_id", Text, ForeignKey("clients.client_id")),
    Column("job_id", Text),
    Column("description", Text),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("last_used_at", Double),
    Column("revoked_at", Double),
)
_ACTIVE = text("revoked_at IS NULL AND job_id IS NULL")
_OF_JOB = text("revoked_at IS NULL AND job_id IS NOT NULL")
Index("uq_psks_digest", psks.c.digest, unique=True)
Index(
    "uq_psks_owner",
    psks.c.account_id,
    psks.c.owner_id,
    unique=True,
    sqlite_where=_ACTIVE,
    postgresql_where=_ACTIVE,
)
Index("uq_psks_job", psks.c.job_id, unique=True, sqlite_where=_OF_JOB, postgresql_where=_OF_JOB)

# What our own tokens are signed with: the public half for all, the private one sealed.
signing_keys = Table(
    "signing_keys",
    METADATA,
    Column("kid", Text, primary_key=True),
    account(),
    json("public", nullable=False),
    Column("private", Text, nullable=False),
    Column("created_at", Double, nullable=False),
)
Index("ix_signing_keys_created", signing_keys.c.account_id, signing_keys.c.created_at)
