"""Uses of decoys."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "uses",
        sa.Column("use_id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("token_id", sa.BigInteger, nullable=False),
        sa.Column("ts_ns", sa.BigInteger, nullable=False),
        sa.Column("client_ip", sa.Text, nullable=False),
        sa.Column("protocol", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False, server_default=""),
        sa.Column("auth_id", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.create_index("uses_by_token", "uses", ["token_id", "ts_ns"])
