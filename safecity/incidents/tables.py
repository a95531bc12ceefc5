"""The tables of the queue and of incidents."""

import sqlalchemy as sa

from safecity.platform.database import Json, UtcInstant, metadata


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


def _step(owner: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False, comment="Line of its history, from 1"),
        sa.Column("version", sa.Integer, nullable=False, comment=f"Version of the {owner} that this line made"),
        sa.Column("at", UtcInstant, nullable=False, comment="When, by our clock"),
        sa.Column("step", sa.String(40), nullable=False, comment="What was done, in a word"),
        *_person("by", "who did it; null: the system"),
        sa.Column("note", sa.Text, nullable=False, comment="What they wrote"),
        sa.Column("detail", Json, nullable=False, comment="What else belongs to the line"),
    )


alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True, comment="alr_..., rises with time"),
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
    sa.Column("incident", sa.String(40), sa.ForeignKey("incidents.id"), comment="The incident it was confirmed into"),
    sa.Index(None, "state", "due_at"),
    sa.Index(None, "camera", "state"),
    sa.Index(None, "decided_at", "id"),
    sa.Index(None, "incident"),
    comment="The one queue",
)

alert_facts = sa.Table(
    "alert_facts",
    metadata,
    sa.Column("fact", sa.String(64), primary_key=True, comment="Id of the fact; it belongs to one alert alone"),
    sa.Column("alert", sa.String(40), sa.ForeignKey("alerts.id"), nullable=False, index=True, comment="Its alert"),
    sa.Column("cursor", sa.BigInteger, nullable=False, comment="Its place among the facts"),
    comment="Which fact became part of which alert",
)

alert_steps = sa.Table(
    "alert_steps",
    metadata,
    sa.Column("alert", sa.String(40), sa.ForeignKey("alerts.id"), primary_key=True, comment="Whose history it is"),
    *_step("alert"),
    comment="What was done with each alert, line by line",
)

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True, comment="inc_..., rises with time"),
    sa.Column("year", sa.SmallInteger, nullable=False, comment="Year of its number, local time"),
    sa.Column("running", sa.Integer, nullable=False, comment="Running number within the year, from 1"),
    sa.Column("version", sa.Integer, nullable=False, comment="Rises by one with each change"),
    sa.Column("stage", sa.String(20), nullable=False, comment="new, unit_sent, en_route, on_scene, cleared or closed"),
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
    sa.UniqueConstraint("year", "running"),
    sa.Index(None, "closed_at", "id"),
    comment="Confirmed events being worked on",
)

incident_steps = sa.Table(
    "incident_steps",
    metadata,
    sa.Column(
        "incident", sa.String(40), sa.ForeignKey("incidents.id"), primary_key=True, comment="Whose timeline it is"
    ),
    *_step("incident"),
    comment="The timeline of each incident",
)

fact_readers = sa.Table(
    "fact_readers",
    metadata,
    sa.Column("reader", sa.String(40), primary_key=True, comment="Who reads facts by cursor"),
    sa.Column("cursor", sa.BigInteger, nullable=False, comment="Up to where they have read"),
    comment="How far each durable reader of facts has come",
)
