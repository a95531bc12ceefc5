"""What `safecity virtual serve --json` prints once every camera can be played."""

from pydantic import BaseModel, ConfigDict


class ServedCamera(BaseModel):
    """Where one camera's streams are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    main: str
    sub: str
    onvif: str | None = None


class ServeReport(BaseModel):
    """Ports, the credentials of every camera, and the URLs (without credentials)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rtsp_port: int
    control_port: int
    user: str | None
    password: str | None
    cameras: tuple[ServedCamera, ...]
