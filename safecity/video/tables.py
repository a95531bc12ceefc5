"""Tables of recording: segments, their totals by day, outages, recorder status, deletions."""

import sqlalchemy as sa

from safecity.platform.database import Json, UtcInstant, metadata

NOT_CLOSED = sa.text("state <> 'closed'")

segments = sa.Table(
    "segments",
    metadata,
    sa.Column("camera", sa.String(64), primary_key=True, comment="Camera id"),
    sa.Column("stream", sa.String(8), primary_key=True, comment="main or sub"),
    sa.Column("started_at", UtcInstant, primary_key=True, comment="Its first picture, on this server's time line"),
    sa.Column("durable_until", UtcInstant, nullable=False, comment="End of the last fragment known to be on the disk"),
    sa.Column("state", sa.String(10), nullable=False, comment="open, closed, deleting"),
    sa.Column("path", sa.String(255), nullable=False, comment="File below the media folder"),
    sa.Column("session", sa.String(40), nullable=False, comment="Reader session whose media ticks it holds"),
    sa.Column("size_bytes", sa.BigInteger, nullable=False, comment="Durable bytes of the file"),
    sa.Column("fragments", sa.Integer, nullable=False, comment="Fragments, without the init segment"),
    sa.Column("codec", sa.String(8), nullable=False, comment="h264 or hevc"),
    sa.Column("codec_string", sa.String(40), nullable=False, comment="RFC 6381, such as avc1.42E01F"),
    sa.Column("width_px", sa.Integer, nullable=False, comment="Picture width"),
    sa.Column("height_px", sa.Integer, nullable=False, comment="Picture height"),
    sa.Column("rate_ppb", sa.BigInteger, nullable=False, comment="Our time runs (1 + this / 1e9) as fast as its ticks"),
    sa.Column("line_error_us", sa.BigInteger, nullable=False, comment="Start less the best estimate at that moment"),
    sa.Column(
        "camera_offset_us", sa.BigInteger, nullable=True, comment="The camera's claimed time less ours; evidence"
    ),
    sa.Column("root", sa.String(64), nullable=True, comment="Merkle root over init and fragments; null while open"),
    sa.Column("previous_root", sa.String(64), nullable=True, comment="Root of the stream's segment before"),
    sa.Column("is_held", sa.Boolean, nullable=False, comment="Never deleted while true"),
    sa.Column("writer", sa.String(100), nullable=False, comment="Recorder slot that wrote it"),
    sa.Column("volume", sa.String(40), nullable=True, comment="Volume it was written to; a hint, null: look for it"),
    sa.Column(
        "origin",
        sa.String(10),
        nullable=False,
        server_default="recorded",
        comment="Where its pictures came from: recorded, edge, card; the last two are recovered",
    ),
    sa.Column("skip_ticks", sa.BigInteger, nullable=False, server_default="0", comment="Ticks of its file before it"),
    sa.Index("ix_segments_started_at", "started_at"),
    # Partial, and SQLite takes it only where a query says so in these words (`NOT_CLOSED`): nearly all are closed.
    sa.Index("ix_segments_state", "state", sqlite_where=NOT_CLOSED, postgresql_where=NOT_CLOSED),
    sa.Index("ix_segments_volume", "volume", "started_at"),
    sqlite_with_rowid=False,
    comment="Files of recorded video, about a minute each; those of one stream never overlap",
)

outages = sa.Table(
    "outages",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True, comment="Made from stream and start"),
    sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
    sa.Column("stream", sa.String(8), nullable=False, comment="main or sub"),
    sa.Column("from_at", UtcInstant, nullable=False, comment="First instant not recorded"),
    sa.Column("to_at", UtcInstant, nullable=True, comment="First instant recorded again; null while it lasts"),
    sa.Column(
        "cause", sa.String(16), nullable=False, comment="camera, link, credentials, power, recorder, disk, policy"
    ),
    sa.Column("detail", sa.String(64), nullable=False, comment="Stable word for what was seen, such as refused"),
    sa.Index("ix_outages_camera_stream_from_at", "camera", "stream", "from_at"),
    comment="Intervals in which a stream was not recorded, and why",
)

recorder_status = sa.Table(
    "recorder_status",
    metadata,
    sa.Column("slot", sa.String(100), primary_key=True, comment="Recorder slot"),
    sa.Column("pid", sa.Integer, nullable=False, comment="Process that wrote this row"),
    sa.Column("started_at", UtcInstant, nullable=False, comment="When that process began"),
    sa.Column("seen_at", UtcInstant, nullable=False, comment="Heartbeat"),
    sa.Column("status", Json, nullable=False, comment="Counters for the health page"),
    comment="One row a recorder, rewritten each second",
)

deletions = sa.Table(
    "deletions",
    metadata,
    sa.Column("camera", sa.String(64), primary_key=True, comment="Camera id"),
    sa.Column("stream", sa.String(8), primary_key=True, comment="main or sub"),
    sa.Column("deleted_until", UtcInstant, nullable=False, comment="End of the newest segment deleted by policy"),
    comment="How far retention has deleted each stream, so that what it took is not called a loss",
)

stream_days = sa.Table(
    "stream_days",
    metadata,
    sa.Column("camera", sa.String(64), primary_key=True, comment="Camera id"),
    sa.Column("stream", sa.String(8), primary_key=True, comment="main or sub"),
    sa.Column("day", sa.Date, primary_key=True, comment="UTC day in which the segments start"),
    sa.Column("volume", sa.String(40), primary_key=True, comment="Volume they are on by their rows; empty: not known"),
    sa.Column("segments", sa.Integer, nullable=False, comment="Closed segments"),
    sa.Column("size_bytes", sa.BigInteger, nullable=False, comment="Their bytes"),
    sa.Column("recorded_us", sa.BigInteger, nullable=False, comment="Their length in microseconds"),
    comment="Running totals of the closed segments, so that nobody counts sixty million rows",
)

store_checks = sa.Table(
    "store_checks",
    metadata,
    sa.Column("camera", sa.String(64), primary_key=True, comment="Camera id"),
    sa.Column("stream", sa.String(8), primary_key=True, comment="main or sub"),
    sa.Column("day", sa.Date, primary_key=True, comment="UTC day in which the segments start"),
    sa.Column("checked_until", UtcInstant, nullable=True, comment="Start of the last segment of a check under way"),
    sa.Column("checked_at", UtcInstant, nullable=True, comment="When the whole day was last checked; null: never"),
    sa.Column("segments", sa.Integer, nullable=False, comment="Segments checked in the last or the running check"),
    sa.Column("read_bytes", sa.BigInteger, nullable=False, comment="Bytes read and hashed in it"),
    comment="How far the recordings' files were verified against the index, by stream and day",
)

store_findings = sa.Table(
    "store_findings",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True, comment="Made from what was found and where"),
    sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
    sa.Column("stream", sa.String(8), nullable=False, comment="main or sub"),
    sa.Column("at", UtcInstant, nullable=False, comment="Start of the segment or of the hole"),
    sa.Column("path", sa.String(255), nullable=True, comment="File below its volume, where one is concerned"),
    sa.Column(
        "kind", sa.String(16), nullable=False, comment="missing, root, torn, chain, hole, ...: see file_verify.py"
    ),
    sa.Column("detail", sa.String(255), nullable=False, comment="What was found, in words"),
    sa.Column("found_at", UtcInstant, nullable=False, comment="When it was first seen"),
    sa.Column("mended_at", UtcInstant, nullable=True, comment="When it was seen to be well again; null: it stands"),
    sa.Index("ix_store_findings_camera_stream_at", "camera", "stream", "at"),
    comment="What checking the recordings has found",
)

ledger_days = sa.Table(
    "ledger_days",
    metadata,
    sa.Column("day", sa.Date, primary_key=True, comment="The city's local day"),
    sa.Column("cameras", sa.Integer, nullable=False, comment="Cameras in use when it was summed up"),
    sa.Column("expected_s", sa.Float(53), nullable=False, comment="Camera-seconds that there should be"),
    sa.Column("recorded_s", sa.Float(53), nullable=False, comment="Recorded when they happened"),
    sa.Column("recovered_s", sa.Float(53), nullable=False, comment="Filled in later from an edge or a camera's card"),
    sa.Column("missing_s", Json, nullable=False, comment="Missing, by cause"),
    sa.Column("unexplained_s", sa.Float(53), nullable=False, comment="Missing and nobody knows why"),
    sa.Column("summed_at", UtcInstant, nullable=False, comment="When this was reckoned"),
    comment="The gap ledger of closed days; it outlives the recordings themselves",
)
