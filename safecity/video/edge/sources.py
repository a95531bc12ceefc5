"""Which cameras an edge pushes: their streams come from the intake instead of from the camera."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.sites.model import CameraId
from safecity.sites.tables import cameras
from safecity.video.edge.model import EdgeState
from safecity.video.edge.tables import edges
from safecity.video.model import Stream, StreamSource

SCHEME = "edge://"


def is_pushed(source: StreamSource) -> bool:
    """Whether a stream comes from an edge."""
    return source.url.startswith(SCHEME)


def pushed_streams(has_sub: bool, streams: str) -> list[Stream]:
    """What an edge pushes of a camera: its sub-stream, the main stream too where told so or where there is no other."""
    pushed = [Stream.SUB] if has_sub else []
    return [*pushed, Stream.MAIN] if streams == "main+sub" or not has_sub else pushed


def list_pushed(connection: Connection, wanted: Sequence[CameraId]) -> dict[CameraId, list[StreamSource]]:
    """The streams of those cameras that belong to an active edge; the best one that is pushed is recorded."""
    c, e = cameras.c, edges.c
    statement = (
        sa.select(c.id, c.sub_url, e.id.label("edge"), e.streams)
        .join(edges, e.site_id == c.site_id)
        .where(e.state == EdgeState.ACTIVE.value, c.id.in_(wanted), c.retired_at.is_(None))
    )
    found: dict[CameraId, list[StreamSource]] = {}
    for row in connection.execute(statement):
        pushed = pushed_streams(row.sub_url is not None, row.streams)
        best = Stream.MAIN if Stream.MAIN in pushed else Stream.SUB
        camera = CameraId(row.id)
        found[camera] = [
            StreamSource(
                camera=camera,
                stream=stream,
                url=f"{SCHEME}{row.edge}/{row.id}/{stream.value}",
                transport="edge",
                is_recorded=stream is best,
            )
            for stream in pushed
        ]
    return found
