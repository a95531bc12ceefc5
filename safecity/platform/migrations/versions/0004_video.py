"""Tables of the video room."""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled by the room."""


def downgrade() -> None:
    """Filled by the room."""
