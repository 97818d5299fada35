"""Mailboxes, interactions, consumers, losses, marks, tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "mailboxes",
        sa.Column("mailbox_id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("correlation_id", sa.String(63), nullable=False, unique=True),
        sa.Column("secret_digest", sa.LargeBinary, nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("aes_key", sa.LargeBinary, nullable=False),
        sa.Column("wrapped_key", sa.Text, nullable=False),
        sa.Column("nonce_length", sa.Integer, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("seen_ns", sa.BigInteger, nullable=False),
        sa.Column("expires_ns", sa.BigInteger),
        sa.Column("lost_through", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("token_key", sa.LargeBinary),
    )
    op.create_index("mailboxes_by_end", "mailboxes", ["expires_ns"])
    op.create_table(
        "interactions",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("mailbox_id", sa.BigInteger, nullable=False),
        sa.Column("token_id", sa.BigInteger),
        sa.Column("ts_ns", sa.BigInteger, nullable=False),
        sa.Column("protocol", sa.String(16), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_index("interactions_by_mailbox", "interactions", ["mailbox_id", "seq"])
    tripped = sa.text("token_id IS NOT NULL")
    op.create_index(
        "interactions_by_token", "interactions", ["token_id", "seq"], sqlite_where=tripped, postgresql_where=tripped
    )
    op.create_table(
        "consumers",
        sa.Column("mailbox_id", sa.BigInteger, primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("cursor", sa.BigInteger, nullable=False),
        sa.Column("seen_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "losses",
        sa.Column("loss_id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("from_ns", sa.BigInteger, nullable=False),
        sa.Column("to_ns", sa.BigInteger, nullable=False),
        sa.Column("lost_count", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "marks",
        sa.Column("at_ns", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("token_id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("placement", sa.Text, nullable=False, server_default=""),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("expires_ns", sa.BigInteger),
        sa.Column("revoked_ns", sa.BigInteger),
        sa.Column("details", sa.LargeBinary, nullable=False),
        sa.Column("alert_every_s", sa.BigInteger, nullable=False, server_default="60"),
        sa.Column("hit_count", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("suppressed_count", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("first_hit_ns", sa.BigInteger),
        sa.Column("last_hit_ns", sa.BigInteger),
        sa.Column("last_alert_ns", sa.BigInteger),
    )
