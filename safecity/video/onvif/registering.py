"""Cameras as devices, for people and commands: enrolled, looked at again, listed with what is wrong with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Denied, Invalid, NotFound
from safecity.platform.secrets import SecretBox
from safecity.sites import store as sites_store
from safecity.sites import tables as sites_tables
from safecity.sites.model import CameraId, Credentials, camera_id
from safecity.sites.service import Sites
from safecity.sites.sources import open_credentials, seal_credentials
from safecity.video.onvif import enrolment as e
from safecity.video.onvif import store
from safecity.video.onvif.camera import OnvifCamera
from safecity.video.onvif.door import run
from safecity.video.onvif.envelopes import SignIn
from safecity.video.onvif.model import Description
from safecity.video.onvif.store import CameraDevice, Finding

DEFAULT_ZOOM_TIMES: Final = 20.0
DEFAULT_FOV_DEG: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolRequest:
    """What the person says of a camera that is to be enrolled."""

    address: str
    site: str
    """Code of its site."""
    sign_in: SignIn
    """As it stands on the camera now: the vendor's."""
    code: str = ""
    """The city's name for it; made from the site's where empty."""
    name: str = ""
    keeps_password: bool = False


class Devices:
    """Enrolment and what is known of cameras as devices."""

    def __init__(self, database: Database, *, sites: Sites, oversight: Oversight, clock: Clock, box: SecretBox) -> None:
        self._database = database
        self._sites = sites
        self._oversight = oversight
        self._clock = clock
        self._box = box

    def enrol(self, request: EnrolRequest) -> e.Enrolled:
        """Take a camera into service; as the one at the machine. Raises what registry or camera say against it."""
        with self._database.read() as connection:
            code = request.code or self._next_code(connection, request.site)
            device = store.find_device(connection, camera_id(code))
            sealed = store.find_pending(connection, camera_id(code))
        camera = camera_id(code)
        pending = e.open_pending(sealed, camera=camera, box=self._box) if sealed else None
        description, current, is_set = run(lambda: self._look(request, pending))
        if description.main is None:
            raise Invalid("the camera has no H.264 or H.265 stream that can be recorded", code="onvif.no_stream")
        self._register(camera, description, sign_in=current, code=code, request=request)
        is_changed, findings = False, e.judge(description, device, now=self._clock.now())
        self._write(camera, description, device=device, findings=findings)
        if not request.keeps_password:
            current = self._replace_password(camera, description, old=current)
            is_changed = True
        findings += run(lambda: e.probe(description.address, old=request.sign_in, current=current))
        findings += (Finding.DEFAULT_PASSWORD,) if request.keeps_password else ()
        self._write(camera, description, device=device, findings=findings)
        self._note("camera_enrolled", camera, is_password_changed=is_changed, findings=list(map(str, findings)))
        return e.Enrolled(
            camera=camera,
            description=description,
            is_password_changed=is_changed,
            is_clock_set=is_set,
            findings=findings,
        )

    def describe(self, camera: CameraId) -> tuple[Description, CameraDevice]:
        """Ask an enrolled camera again, and keep what it says. Raises NotFound for one that is not enrolled."""
        device, sign_in = self.sign_in_of(camera)

        async def look() -> Description:
            async with OnvifCamera(device.address, sign_in, clock=self._clock) as asked:
                return await e.describe(asked)

        description = run(look)
        kept = tuple(one for one in device.findings if one not in (Finding.OLD_FIRMWARE, Finding.WRONG_CLOCK))
        findings = e.judge(description, device, now=self._clock.now()) + kept
        self._write(camera, description, device=device, findings=findings)
        with self._database.read() as connection:
            after = store.find_device(connection, camera)
        assert after is not None
        return description, after

    def list_devices(self) -> Sequence[CameraDevice]:
        """All enrolled cameras; for who has asked oversight."""
        with self._database.read() as connection:
            return store.list_devices(connection)

    def sign_in_of(self, camera: CameraId) -> tuple[CameraDevice, SignIn | None]:
        """A camera's address and sign-in, to ask it: never log or show the result. Raises NotFound."""
        with self._database.read() as connection:
            device = store.find_device(connection, camera)
            sealed = sites_store.read_sealed(connection).get(camera)
        if device is None:
            raise NotFound(
                "this camera is not enrolled; `safecity cameras enrol` does it",
                code="onvif.not_enrolled",
                camera=camera,
            )
        credentials = open_credentials(sealed[0] if sealed else None, camera=camera, box=self._box)
        return device, SignIn(user=credentials.user, password=credentials.password) if credentials.user else None

    def adopt(self, camera: CameraId, address: str, *, profile: str, has_ptz: bool) -> None:
        """Write down that a camera of the registry is at an ONVIF address, unasked: for virtual cities."""
        now = self._clock.now()
        values = {"address": address, "profile": profile, "has_ptz": has_ptz, "seen_at": now, "firmware_since": now}
        unknown = dict.fromkeys(("manufacturer", "model", "serial", "mac", "firmware"), "")
        optics = {"zoom_times": DEFAULT_ZOOM_TIMES, "wide_fov_deg": DEFAULT_FOV_DEG}
        with self._database.begin() as connection:
            store.put_device(connection, camera, values={**unknown, **values, **optics, "findings": []})

    # Inside

    async def _look(self, request: EnrolRequest, pending: SignIn | None) -> tuple[Description, SignIn, bool]:
        """With the pending sign-in first, where an earlier enrolment was cut off."""
        for sign_in in (pending, request.sign_in):
            if sign_in is None:
                continue
            try:
                async with OnvifCamera(request.address, sign_in, clock=self._clock) as camera:
                    is_set = await e.set_clock(camera)
                    return await e.describe(camera), sign_in, is_set
            except Denied:
                if sign_in is request.sign_in:
                    raise
        raise Denied("the camera refuses this user", code="onvif.unauthorised")

    def _replace_password(self, camera: CameraId, description: Description, *, old: SignIn) -> SignIn:
        """A new password for the user that is there; where the camera does not set it, a user of ours instead."""
        address = description.address
        fresh = self._pend(camera, SignIn(user=old.user, password=e.fresh_password()))
        try:
            run(lambda: e.set_password(address, old, new=fresh))
        except (Conflict, NotFound):
            fresh = self._pend(camera, SignIn(user=e.OWN_USER, password=fresh.password))
            run(lambda: e.replace_user(address, old, new=fresh))
        with self._database.begin() as connection:
            sites_store.set_sealed(connection, {camera: self._seal(camera, fresh)})
            store.put_device(connection, camera, values={**self._kept(connection, camera), "pending": None})
        return fresh

    def _pend(self, camera: CameraId, fresh: SignIn) -> SignIn:
        with self._database.begin() as connection:
            sealed = e.seal_pending(fresh, camera=camera, box=self._box)
            store.put_device(connection, camera, values={**self._kept(connection, camera), "pending": sealed})
        return fresh

    def _kept(self, connection: Connection, camera: CameraId) -> dict[str, object]:
        """The row as it is: an upsert names every column that must not be empty."""
        table = store.camera_devices
        row = connection.execute(sa.select(table).where(table.c.camera_id == camera)).mappings().one()
        return {name: value for name, value in row.items() if name != "camera_id"}

    def _seal(self, camera: CameraId, sign_in: SignIn) -> bytes:
        return seal_credentials(Credentials(user=sign_in.user, password=sign_in.password), camera=camera, box=self._box)

    def _register(
        self, camera: CameraId, description: Description, *, sign_in: SignIn, code: str, request: EnrolRequest
    ) -> None:
        """Put it into the registry as a city file would, sign-in and all."""
        assert description.main is not None
        identity = description.identity
        with self._database.read() as connection:
            there = sites_store.find_camera(connection, camera)
        properties: dict[str, object] = {
            "kind": "camera",
            "code": code,
            "name": request.name
            or (there.name if there else f"{identity.manufacturer} {identity.model}".strip() or code),
            "site": request.site,
            "main_url": description.main.uri,
            "user": sign_in.user,
            "password": sign_in.password,
        }
        if description.sub is not None:
            properties["sub_url"] = description.sub.uri
        if there is not None:
            kept = {"bearing_deg": there.bearing_deg, "fov_deg": there.fov_deg, "range_m": there.range_m}
            properties |= {name: value for name, value in kept.items() if value is not None} | {
                "name_ur": there.name_ur
            }
        feature = {"type": "Feature", "geometry": None, "properties": properties}
        self._sites.import_city_document({"type": "FeatureCollection", "features": [feature]})

    def _write(
        self, camera: CameraId, description: Description, *, device: CameraDevice | None, findings: tuple[Finding, ...]
    ) -> None:
        identity, now = description.identity, self._clock.now()
        is_same = device is not None and device.firmware == identity.firmware
        profile = next((one for one in (description.main, description.sub) if one is not None), None)
        values: dict[str, object] = {
            "address": description.address,
            "manufacturer": identity.manufacturer,
            "model": identity.model,
            "serial": identity.serial,
            "mac": identity.mac,
            "firmware": identity.firmware,
            "firmware_date": e.firmware_date(identity.firmware),
            "firmware_since": device.firmware_since if device is not None and is_same else now,
            "profile": profile.token if profile else "",
            "has_ptz": description.has_ptz,
            "zoom_times": device.zoom_times if device else DEFAULT_ZOOM_TIMES,
            "wide_fov_deg": device.wide_fov_deg if device else DEFAULT_FOV_DEG,
            "clock_offset_s": round(description.clock_offset_s, 3),
            "findings": [str(one) for one in dict.fromkeys(findings)],
            "seen_at": now,
        }
        with self._database.begin() as connection:
            store.put_device(connection, camera, values=values)

    def _next_code(self, connection: Connection, site: str) -> str:
        wanted = site.upper()
        taken = {code.upper() for code in connection.execute(sa.select(sites_tables.cameras.c.code)).scalars()}
        if wanted not in {one.code.upper() for one in sites_store.list_sites(connection)}:
            raise NotFound("the registry has no such site; import it first", code="sites.no_site")
        return next(code for n in range(1, 1000) if (code := f"{site}-{n:02d}").upper() not in taken)

    def _note(self, kind: str, camera: CameraId, **body: object) -> None:
        with self._database.begin() as connection:
            self._oversight.note(connection, type=kind, body={"camera": camera, **body})
