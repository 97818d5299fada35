"""What mailboxes lost, in a table of its own: a narrow row is written for a fraction of what a mailbox costs."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table, move what is known, drop the column it comes from."""
    op.create_table(
        "gaps",
        sa.Column("mailbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("through", sa.BigInteger, nullable=False),
    )
    op.execute(
        "INSERT INTO gaps (mailbox_id, through) SELECT mailbox_id, lost_through FROM mailboxes WHERE lost_through > 0"
    )
    op.drop_column("mailboxes", "lost_through")
