"""Cases and their clips, and the intervals of recordings that are held for them."""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import BigSerial, Json, UtcInstant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _create_holds()
    _create_cases()
    _create_histories()


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.String(64), nullable=False, comment="case_..., rises with time"),
        sa.Column("number", sa.String(20), nullable=False, comment="For people: C-2026-000007"),
        sa.Column("version", sa.Integer, nullable=False, comment="Rises by one with each change"),
        sa.Column("state", sa.String(10), nullable=False, comment="open or closed"),
        sa.Column("fir_number", sa.String(60), nullable=False, comment="FIR number as the station writes it"),
        sa.Column("police_station", sa.String(60), nullable=False, comment="Police station that registered it"),
        sa.Column("reference_key", sa.String(400), nullable=False, comment="Station and number, for comparison"),
        sa.Column("incident", sa.String(64), nullable=False, comment="Incident that closed into it"),
        sa.Column("incident_number", sa.String(20), nullable=False, comment="Its number for people"),
        sa.Column("title", sa.Text, nullable=False, comment="Title of the incident"),
        sa.Column("title_ur", sa.Text, nullable=False, comment="The same in Urdu; may be empty"),
        sa.Column("purpose", sa.String(64), nullable=False, comment="Purpose that its looks and exports rest on"),
        sa.Column("opened_at", UtcInstant, nullable=False, comment="When it was opened"),
        sa.Column("opened_by", sa.String(64), nullable=False, comment="User id of who opened it"),
        sa.Column("opened_by_name", sa.String(200), nullable=False, comment="Their name then"),
        sa.Column("closed_at", UtcInstant, nullable=True, comment="When it was closed; null while open"),
        sa.Column("outcome", sa.String(200), nullable=True, comment="How it ended; null while open"),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.UniqueConstraint("number", name="uq_cases_number"),
        sa.UniqueConstraint("incident", name="uq_cases_incident"),
        comment="Cases: what an incident closes into, with its FIR",
    )
    is_open = sa.text("state = 'open'")
    op.create_index(
        "uq_cases_open_reference",
        "cases",
        ["reference_key"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _create_histories() -> None:
    op.create_table(
        "case_clips",
        sa.Column("case", sa.String(64), nullable=False, comment="Case id"),
        sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
        sa.Column("from_at", UtcInstant, nullable=False, comment="First held instant, a whole second"),
        sa.Column("to_at", UtcInstant, nullable=False, comment="First instant that is not held, a whole second"),
        sa.Column("export", sa.String(40), nullable=True, comment="Newest export of it under this case"),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name="fk_case_clips_case_cases"),
        sa.PrimaryKeyConstraint("case", "camera", "from_at", name="pk_case_clips"),
        comment="Intervals of cameras that belong to a case and are held for it",
    )
    op.create_table(
        "case_steps",
        sa.Column("id", BigSerial, nullable=False, autoincrement=True, comment="Order of writing"),
        sa.Column("case", sa.String(64), nullable=False, comment="Case id"),
        sa.Column("at", UtcInstant, nullable=False, comment="When"),
        sa.Column("step", sa.String(30), nullable=False, comment="opened, note, references, exported, closed"),
        sa.Column("by_user", sa.String(64), nullable=False, comment="User id of who did it"),
        sa.Column("by_name", sa.String(200), nullable=False, comment="Their name then"),
        sa.Column("note", sa.String(2000), nullable=False, comment="In their own words; may be empty"),
        sa.Column("detail", Json, nullable=False, comment="What the step needs, such as old and new references"),
        sa.ForeignKeyConstraint(["case"], ["cases.id"], name="fk_case_steps_case_cases"),
        sa.PrimaryKeyConstraint("id", name="pk_case_steps"),
        comment="History of cases; lines are added, never changed",
    )
    op.create_index("ix_case_steps_case", "case_steps", ["case", "id"])


def _create_holds() -> None:
    op.create_table(
        "holds",
        sa.Column("id", sa.String(40), nullable=False, comment="hold_..."),
        sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
        sa.Column("stream", sa.String(8), nullable=False, comment="main or sub"),
        sa.Column("from_at", UtcInstant, nullable=False, comment="First instant that is held"),
        sa.Column("to_at", UtcInstant, nullable=False, comment="First instant that is not"),
        sa.Column("ref", sa.String(64), nullable=False, comment="Who needs it kept, such as a case id"),
        sa.Column("held_at", UtcInstant, nullable=False, comment="Since when"),
        sa.Column("released_at", UtcInstant, nullable=True, comment="When it was let go; null while it stands"),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        comment="Intervals of a stream that retention leaves alone, also segments that come into the index later",
    )
    op.create_index("ix_holds_camera", "holds", ["camera", "stream", "from_at"])
    op.create_index("ix_holds_ref", "holds", ["ref"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("case_steps")
    op.drop_table("case_clips")
    op.drop_table("cases")
    op.drop_table("holds")
