"""Taking a camera into service: looked at, its clock set, its password changed, the old one tried, written down.

A password is sealed in the database before it is given to the camera (`pending`), so that a crash between the two
locks nobody out: the next enrolment tries the pending one first.
"""

import json
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import structlog

from safecity.platform.errors import Conflict, DataLoss, Denied, Invalid, NotFound, Problem
from safecity.platform.secrets import SecretBox
from safecity.sites.model import CameraId
from safecity.video.onvif import names
from safecity.video.onvif.camera import OnvifCamera
from safecity.video.onvif.envelopes import SignIn
from safecity.video.onvif.media import list_profiles, with_uris
from safecity.video.onvif.model import Description, choose_streams
from safecity.video.onvif.store import CameraDevice, Finding

log = structlog.get_logger()

CLOCK_LIMIT_S: Final = 2.0
OLD_AFTER: Final = timedelta(days=2 * 365)
OWN_USER: Final = "safecity"
PASSWORD_CHARACTERS: Final = 16
"""Enough for 95 bits; many cameras take no more than 16 and no signs but letters and digits."""
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = "23456789"
_DATE_FORMS = (
    re.compile(r"(?<!\d)(20[0-4]\d)[-._/]?(0[1-9]|1[0-2])[-._/]?(0[1-9]|[12]\d|3[01])(?!\d)"),
    re.compile(r"(?i)build[ _-]*(\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What an enrolment did."""

    camera: CameraId
    description: Description
    is_password_changed: bool
    is_clock_set: bool
    findings: tuple[Finding, ...]


async def describe(camera: OnvifCamera) -> Description:
    """Everything a registry wants to know of a camera. Raises Denied for a refused sign-in."""
    identity = await camera.identity()
    profiles = await list_profiles(camera)
    chosen = [one for one in choose_streams(profiles) if one is not None]
    told = await with_uris(camera, tuple(chosen))
    by_token = {one.token: one for one in told}
    profiles = tuple(by_token.get(one.token, one) for one in profiles)
    main, sub = choose_streams(profiles)
    has_ptz = camera.offers(names.PTZ) and (any(one.has_ptz for one in profiles) or await _has_node(camera))
    return Description(
        address=camera.door.address,
        identity=identity,
        services=tuple(sorted(camera.services)),
        clock_offset_s=camera.clock_offset_s or 0.0,
        is_ntp=camera.is_ntp,
        profiles=profiles,
        main=main,
        sub=sub,
        has_ptz=has_ptz,
        read_at=camera.clock.now(),
    )


async def _has_node(camera: OnvifCamera) -> bool:
    try:
        return (await camera.ask(names.PTZ, "GetNodes")).find("PTZNode") is not None
    except Denied:
        raise
    except Problem:
        return False


async def set_clock(camera: OnvifCamera) -> bool:
    """Set a clock that is wrong by more than 2 s; False where it is right or the camera does not let us."""
    offset_s = camera.clock_offset_s
    if offset_s is None or abs(offset_s) <= CLOCK_LIMIT_S:
        return False
    try:
        await camera.set_time(camera.clock.now())
    except (Conflict, NotFound, Denied, Invalid) as problem:
        log.warning("video.camera_clock_not_set", code=problem.code)
        return False
    return True


async def set_password(address: str, old: SignIn, *, new: SignIn) -> None:
    """Give the same user a new password, and sign in with it. Raises what the camera says against it."""
    async with OnvifCamera(address, old) as camera:
        await camera.put_user(new)
    async with OnvifCamera(address, new) as camera:
        await camera.identity()


async def replace_user(address: str, old: SignIn, *, new: SignIn) -> None:
    """Make an administrator of ours and delete the vendor's, where that one's password cannot be set.

    Some cameras keep their first user whatever is asked; the probe afterwards tells.
    """
    async with OnvifCamera(address, old) as camera:
        is_there = any(one.name == new.user for one in await camera.users())
        await camera.put_user(new, is_new=not is_there)
    async with OnvifCamera(address, new) as camera:
        await camera.identity()
        try:
            await camera.delete_user(old.user)
        except (Conflict, NotFound, Denied) as problem:
            log.warning("video.camera_user_kept", code=problem.code)


async def lets_in(address: str, sign_in: SignIn | None) -> bool:
    """Whether a camera lets this user (or anybody) in: one try, at what only users may read."""
    try:
        async with OnvifCamera(address, sign_in) as camera:
            await list_profiles(camera)
            await camera.identity()
    except Denied:
        return False
    return True


async def probe(address: str, *, old: SignIn, current: SignIn) -> tuple[Finding, ...]:
    """What is still open on a camera whose password was changed: the old sign-in, none at all, other administrators."""
    found: list[Finding] = []
    if old != current and await lets_in(address, old):
        found.append(Finding.DEFAULT_PASSWORD)
    if await lets_in(address, None):
        found.append(Finding.OPEN)
    try:
        async with OnvifCamera(address, current) as camera:
            users = await camera.users()
    except (NotFound, Denied, Invalid):
        users = ()
    if any(one.level == "Administrator" and one.name != current.user for one in users):
        found.append(Finding.OTHER_ADMINISTRATORS)
    return tuple(found)


def judge(description: Description, device: CameraDevice | None, *, now: datetime) -> tuple[Finding, ...]:
    """What its firmware and its clock give cause for."""
    found: list[Finding] = []
    built = firmware_date(description.identity.firmware)
    since = now
    if device is not None and device.firmware == description.identity.firmware:
        since = device.firmware_since
    born = datetime(built.year, built.month, built.day, tzinfo=UTC) if built else since
    if now - born > OLD_AFTER:
        found.append(Finding.OLD_FIRMWARE)
    if abs(description.clock_offset_s) > CLOCK_LIMIT_S:
        found.append(Finding.WRONG_CLOCK)
    return tuple(found)


def firmware_date(version: str) -> date | None:
    """The day in a firmware version (`V5.4.0 build 180921`, `2.800.0000.0.R,2021-03-04`), where there is one."""
    for form in _DATE_FORMS:
        found = form.search(version)
        if found is None:
            continue
        year = int(found[1]) + (2000 if len(found[1]) == 2 else 0)
        try:
            return date(year, int(found[2]), int(found[3]))
        except ValueError:
            continue
    return None


def fresh_password() -> str:
    """A password nobody has seen, of letters and digits that read well, both in it."""
    every = _LETTERS + _DIGITS
    body = [secrets.choice(every) for _ in range(PASSWORD_CHARACTERS - 3)]
    body += [secrets.choice(_LETTERS[:24]), secrets.choice(_LETTERS[24:]), secrets.choice(_DIGITS)]
    secrets.SystemRandom().shuffle(body)
    return "".join(body)


def seal_pending(sign_in: SignIn, *, camera: CameraId, box: SecretBox) -> bytes:
    """A sign-in that is about to be given to a camera, as it is stored."""
    return box.seal(json.dumps([sign_in.user, sign_in.password]), context=f"{camera}:pending")


def open_pending(sealed: bytes, *, camera: CameraId, box: SecretBox) -> SignIn | None:
    """The reverse; None where it cannot be opened."""
    try:
        user, password = json.loads(box.open(sealed, context=f"{camera}:pending"))
    except (DataLoss, ValueError):
        return None
    return SignIn(user=user, password=password)
