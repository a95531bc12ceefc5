"""Tables of the oversight room."""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled by the room."""


def downgrade() -> None:
    """Filled by the room."""
