"""Alerts, incidents and their histories."""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import Json, UtcInstant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _create_incidents()
    _create_alerts()
    _create_histories()
    op.create_table(
        "fact_readers",
        sa.Column("reader", sa.String(40), nullable=False, comment="Who reads facts by cursor"),
        sa.Column("cursor", sa.BigInteger, nullable=False, comment="Up to where they have read"),
        sa.PrimaryKeyConstraint("reader", name="pk_fact_readers"),
        comment="How far each durable reader of facts has come",
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("fact_readers", "incident_steps", "alert_steps", "alert_facts", "alerts", "incidents"):
        op.drop_table(table)


def _person(name: str, what: str) -> tuple[sa.Column[str], sa.Column[str]]:
    return (
        sa.Column(name, sa.String(40), nullable=True, comment=f"User id of {what}"),
        sa.Column(f"{name}_name", sa.Text, nullable=True, comment=f"Display name of {what}, as it was then"),
    )


def _said(subject: str) -> tuple[sa.Column[str], sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("kind", sa.Text, nullable=False, comment="Kind of rule, or manual"),
        sa.Column("title", sa.Text, nullable=False, comment=f"What the {subject} is, for people"),
        sa.Column("title_ur", sa.Text, nullable=False, comment="The same in Urdu"),
    )


def _seen() -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("camera", sa.String(64), nullable=True, comment="Camera id"),
        sa.Column("lon", sa.Double, nullable=False, comment="WGS84 longitude, degrees"),
        sa.Column("lat", sa.Double, nullable=False, comment="WGS84 latitude, degrees"),
        sa.Column("first_at", UtcInstant, nullable=False, comment="Its first fact, on the line of the recordings"),
        sa.Column("picture_at", UtcInstant, nullable=False, comment="The instant whose picture shows it best"),
        sa.Column("box", Json, nullable=True, comment="Left, top, width, height on it, as shares; null: all of it"),
        sa.Column("clip_from", UtcInstant, nullable=False, comment="Start of its clip, capture time"),
        sa.Column("clip_to", UtcInstant, nullable=False, comment="End of its clip, capture time"),
    )


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(40), nullable=False, comment="inc_..., rises with time"),
        sa.Column("year", sa.SmallInteger, nullable=False, comment="Year of its number, local time"),
        sa.Column("running", sa.Integer, nullable=False, comment="Running number within the year, from 1"),
        sa.Column("version", sa.Integer, nullable=False, comment="Rises by one with each change"),
        sa.Column(
            "stage", sa.String(20), nullable=False, comment="new, unit_sent, en_route, on_scene, cleared or closed"
        ),
        sa.Column("priority", sa.SmallInteger, nullable=False, comment="1 (highest) to 4"),
        *_said("incident"),
        *_seen(),
        sa.Column("opened_at", UtcInstant, nullable=False, comment="When it was confirmed or reported"),
        *_person("owner", "who confirmed or reported it"),
        sa.Column("alerts", sa.Integer, nullable=False, comment="Alerts confirmed into it"),
        sa.Column("units", sa.Integer, nullable=False, comment="Units that are on it now"),
        sa.Column("purpose", sa.String(40), nullable=False, comment="The purpose that was opened with it"),
        sa.Column("closed_at", UtcInstant, nullable=True, comment="When it was closed"),
        sa.Column("outcome", sa.String(20), nullable=True, comment="How it ended"),
        sa.Column("case", sa.String(60), nullable=True, comment="The case it was closed into"),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.UniqueConstraint("year", "running", name="uq_incidents_year_running"),
        comment="Confirmed events being worked on",
    )
    op.create_index("ix_incidents_closed_at_id", "incidents", ["closed_at", "id"])


def _create_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(40), nullable=False, comment="alr_..., rises with time"),
        sa.Column("version", sa.Integer, nullable=False, comment="Rises by one with each change"),
        sa.Column("state", sa.String(20), nullable=False, comment="unacknowledged, acknowledged, confirmed or closed"),
        sa.Column("priority", sa.SmallInteger, nullable=False, comment="1 (highest) to 4"),
        *_said("alert"),
        sa.Column("rule", sa.Text, nullable=False, comment="Name of the rule on its camera"),
        *_seen(),
        sa.Column("subject", sa.Text, nullable=False, comment="What facts of the same matter share"),
        sa.Column("object_class", sa.Text, nullable=False, comment="car, person, ...; with ? where only size was seen"),
        sa.Column("count", sa.Integer, nullable=False, comment="Facts merged into it"),
        sa.Column("last_at", UtcInstant, nullable=False, comment="Its newest fact, on the line of the recordings"),
        sa.Column("raised_at", UtcInstant, nullable=False, comment="When it entered the queue, by our clock"),
        sa.Column(
            "level", sa.SmallInteger, nullable=False, comment="0: whom it was offered to, 1: operators, 2: supervisor"
        ),
        *_person("offered_to", "the operator it was offered to"),
        *_person("owner", "who acknowledged it; once decided, who decided"),
        sa.Column("due_at", UtcInstant, nullable=True, comment="When it escalates or its acknowledgement lapses"),
        sa.Column("decided_at", UtcInstant, nullable=True, comment="When it was confirmed or closed"),
        sa.Column("close_reason", sa.String(30), nullable=True, comment="Why it was closed"),
        sa.Column("incident", sa.String(40), nullable=True, comment="The incident it was confirmed into"),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_alerts_incident_incidents"),
        comment="The one queue",
    )
    for columns in (("state", "due_at"), ("camera", "state"), ("decided_at", "id"), ("incident",)):
        op.create_index(f"ix_alerts_{'_'.join(columns)}", "alerts", list(columns))
    op.create_table(
        "alert_facts",
        sa.Column("fact", sa.String(64), nullable=False, comment="Id of the fact; it belongs to one alert alone"),
        sa.Column("alert", sa.String(40), nullable=False, comment="Its alert"),
        sa.Column("cursor", sa.BigInteger, nullable=False, comment="Its place among the facts"),
        sa.PrimaryKeyConstraint("fact", name="pk_alert_facts"),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name="fk_alert_facts_alert_alerts"),
        comment="Which fact became part of which alert",
    )
    op.create_index("ix_alert_facts_alert", "alert_facts", ["alert"])


def _create_histories() -> None:
    for owner, what in (
        ("alert", "What was done with each alert, line by line"),
        ("incident", "The timeline of each incident"),
    ):
        whose = "Whose history it is" if owner == "alert" else "Whose timeline it is"
        op.create_table(
            f"{owner}_steps",
            sa.Column(owner, sa.String(40), nullable=False, comment=whose),
            sa.Column("number", sa.Integer, nullable=False, comment="Line of its history, from 1"),
            sa.Column("version", sa.Integer, nullable=False, comment=f"Version of the {owner} that this line made"),
            sa.Column("at", UtcInstant, nullable=False, comment="When, by our clock"),
            sa.Column("step", sa.String(40), nullable=False, comment="What was done, in a word"),
            *_person("by", "who did it; null: the system"),
            sa.Column("note", sa.Text, nullable=False, comment="What they wrote"),
            sa.Column("detail", Json, nullable=False, comment="What else belongs to the line"),
            sa.PrimaryKeyConstraint(owner, "number", name=f"pk_{owner}_steps"),
            sa.ForeignKeyConstraint([owner], [f"{owner}s.id"], name=f"fk_{owner}_steps_{owner}_{owner}s"),
            comment=what,
        )
