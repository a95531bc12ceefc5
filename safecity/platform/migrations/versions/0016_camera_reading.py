"""How each camera is read, and which of its streams are recorded."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_COLUMNS = {
    "reader": ("auto", "Who reads it: auto, own or pyav"),
    "transport": ("auto", "RTSP transport: auto, tcp or udp"),
    "recorded": ("main", "Streams to record: main or both"),
}


def upgrade() -> None:
    """Add the columns; every camera is read as the settings say, and its main stream recorded."""
    for name, (default, comment) in _COLUMNS.items():
        op.add_column(
            "cameras", sa.Column(name, sa.String(10), nullable=False, server_default=default, comment=comment)
        )


def downgrade() -> None:
    """Drop them."""
    for name in _COLUMNS:
        op.drop_column("cameras", name)
