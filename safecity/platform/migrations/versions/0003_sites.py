"""Tables of the sites room."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled by the room."""


def downgrade() -> None:
    """Filled by the room."""
