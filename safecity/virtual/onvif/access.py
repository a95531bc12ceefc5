"""Who may ask a virtual camera for what: WS-UsernameToken (digest or text), HTTP Digest, locks, wrong clocks."""

import base64
import binascii
import hashlib
import hmac
from collections import OrderedDict
from typing import Final

from safecity.platform.clock import parse_iso
from safecity.platform.xml_tree import Element
from safecity.virtual.faults import OddOnvif
from safecity.virtual.onvif.device import CLOCK_TOLERANCE_S, LOCKED_S, MAX_WRONG_TRIES, Device, Level
from safecity.virtual.onvif.soap import Call, SoapFault
from safecity.virtual.rtsp.digest import DigestGuard, Verdict, read_parameters
from safecity.virtual.rtsp.messages import Request

PRE_AUTH: Final = frozenset(
    {
        "GetSystemDateAndTime",
        "GetServices",
        "GetServiceCapabilities",
        "GetCapabilities",
        "GetHostname",
        "GetEndpointReference",
        "GetWsdlUrl",
    }
)
"""ONVIF Core, access class PRE_AUTH: anyone may ask."""
ADMINISTRATORS: Final = frozenset(
    {"SetSystemDateAndTime", "GetUsers", "CreateUsers", "SetUser", "DeleteUsers", "SystemReboot", "SetNTP"}
)
OPERATORS: Final = frozenset(
    {
        "SetVideoEncoderConfiguration",
        "SetImagingSettings",
        "AbsoluteMove",
        "RelativeMove",
        "ContinuousMove",
        "Stop",
        "SetPreset",
        "RemovePreset",
        "GotoPreset",
        "GotoHomePosition",
        "SetHomePosition",
    }
)
MAX_NONCES: Final = 1024
REALM: Final = "SafeCity virtual ONVIF"


class NeedsSignIn(Exception):
    """The request is to be answered 401 with challenges."""


class Doorman:
    """Judges every request to the cameras of one process."""

    def __init__(self) -> None:
        self.digest = DigestGuard(REALM)
        self._nonces: OrderedDict[tuple[str, str], None] = OrderedDict()

    def admit(self, device: Device, call: Call, *, request: Request) -> None:
        """Raises SoapFault or NeedsSignIn where the caller may not do this."""
        if call.name in PRE_AUTH or not device.mount.state.users:
            return
        if device.now_s() < device.locked_until_s:
            raise SoapFault("ter:NotAuthorized", "The account is locked; try again later.", status=401)
        user = self._signed_in(device, call, request)
        level = device.levels.get(user, Level.ADMINISTRATOR)
        allowed = {
            Level.ADMINISTRATOR: True,
            Level.OPERATOR: call.name not in ADMINISTRATORS,
            Level.USER: call.name not in ADMINISTRATORS | OPERATORS,
        }[level]
        if not allowed:
            raise SoapFault("ter:NotAuthorized", "This user may not do that.")

    def _signed_in(self, device: Device, call: Call, request: Request) -> str:
        header = request.headers.get("authorization", "")
        token = call.security.find("UsernameToken") if call.security else None
        if token is not None and device.odd is not OddOnvif.HTTP_DIGEST:
            return self._by_token(device, token)
        if header:
            return self._by_digest(device, header, request)
        raise NeedsSignIn

    def _by_digest(self, device: Device, header: str, request: Request) -> str:
        verdict = self.digest.judge_any(
            header,
            method=request.method,
            target=request.target,
            users=device.mount.streams["main"].users,
            now_s=device.now_s(),
        )
        if verdict is Verdict.STALE:
            raise NeedsSignIn
        if verdict is Verdict.REFUSED:
            self._count_wrong(device)
            raise NeedsSignIn
        device.wrong_tries = 0
        return (read_parameters(header) or {}).get("username", "")

    def _by_token(self, device: Device, token: Element) -> str:
        """WS-Security UsernameToken Profile 1.0: Base64(SHA-1(nonce + created + password)), or the plain text."""
        name, password = token.text_at("Username"), token.find("Password")
        known = {one.user: one.password for one in device.mount.streams["main"].users}
        given = password.text if password else ""
        if password is not None and not password.attributes.get("Type", "").endswith("#PasswordDigest"):
            expected = known.get(name)
        else:
            self._check_created(device, token)
            expected = _digest(token, known[name]) if name in known else None
        if expected is None or not hmac.compare_digest(given.encode(), expected.encode()):
            self._count_wrong(device)
            raise SoapFault("ter:NotAuthorized", "Sender not authorized.")
        self._check_nonce(device, token)
        device.wrong_tries = 0
        return name

    def _check_created(self, device: Device, token: Element) -> None:
        try:
            created = parse_iso(token.text_at("Created"))
        except ValueError as error:
            raise SoapFault("ter:NotAuthorized", "The token has no time.") from error
        if abs((created - device.camera_now()).total_seconds()) > CLOCK_TOLERANCE_S:
            raise SoapFault("ter:NotAuthorized", "The token's time is not ours.")

    def _check_nonce(self, device: Device, token: Element) -> None:
        nonce = (device.name, token.text_at("Nonce"))
        if nonce[1] and nonce in self._nonces:
            raise SoapFault("ter:NotAuthorized", "This token was used before.")
        self._nonces[nonce] = None
        while len(self._nonces) > MAX_NONCES:
            self._nonces.popitem(last=False)

    def _count_wrong(self, device: Device) -> None:
        device.wrong_tries += 1
        if device.wrong_tries >= MAX_WRONG_TRIES:
            device.wrong_tries, device.locked_until_s = 0, device.now_s() + LOCKED_S


def _digest(token: Element, password: str) -> str | None:
    try:
        nonce = base64.b64decode(token.text_at("Nonce"), validate=True)
    except (binascii.Error, ValueError):
        return None
    whole = nonce + token.text_at("Created").encode() + password.encode()
    return base64.b64encode(hashlib.sha1(whole, usedforsecurity=False).digest()).decode()
