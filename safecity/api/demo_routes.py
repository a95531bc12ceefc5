"""The demo's door and its faults; served only where virtual cameras run on this machine and only it can ask."""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from safecity.api.demo_port import DemoControls, is_door_open
from safecity.api.parts import WebParts
from safecity.api.session_routes import render_session
from safecity.api.sessions import get_session, give_cookie
from safecity.api.wire import SessionView
from safecity.api.wire_scene import DemoCard, DemoEnter, DemoFault, DemoFaultDone
from safecity.oversight.model import Act, Resource, Role
from safecity.platform.errors import Invalid, NotFound
from safecity.sites.model import CameraId

CARDS = (
    DemoCard(role="operator", display_name="Operator, desk 1", display_name_ur="آپریٹر، ڈیسک 1"),
    DemoCard(role="dispatcher", display_name="Dispatcher", display_name_ur="ڈسپیچر"),
    DemoCard(role="investigator", display_name="Investigator", display_name_ur="تفتیشی افسر"),
    DemoCard(role="supervisor", display_name="Shift supervisor", display_name_ur="شفٹ سپروائزر"),
    DemoCard(role="auditor", display_name="Auditor", display_name_ur="آڈیٹر"),
    DemoCard(role="administrator", display_name="Police IT", display_name_ur="پولیس آئی ٹی"),
)


def demo_router(parts: WebParts) -> APIRouter:
    """`/api/demo`."""
    router = APIRouter(prefix="/api/demo", tags=["demo"])

    def require_demo() -> None:
        if not is_door_open(parts.settings):
            raise NotFound("this is no demo: sign in with your user and password", code="demo.none")

    @router.get("/cards")
    def cards() -> tuple[DemoCard, ...]:  # pyright: ignore[reportUnusedFunction]
        """The roles at the door."""
        require_demo()
        return CARDS

    @router.post("/session")
    def enter(body: DemoEnter, request: Request, response: Response) -> SessionView:  # pyright: ignore[reportUnusedFunction]
        """Sign in as that role, without typing."""
        require_demo()
        console = request.client.host if request.client else "unknown"
        signed = parts.oversight.enter_demo(Role(body.role), console=console)
        max_age_s = int((signed.session.expires_at - parts.clock.now()).total_seconds())
        give_cookie(response, signed.token, max_age_s=max_age_s, is_https=False)
        return render_session(signed.session)

    @router.post("/faults")
    def fault(body: DemoFault, request: Request) -> DemoFaultDone:  # pyright: ignore[reportUnusedFunction]
        """Cut a camera's line, mend it, or kill the recorder that holds it; each is a leaf of the log."""
        require_demo()
        actor = get_session(parts.oversight, request).actor
        if parts.demo is None:
            raise NotFound("there are no virtual cameras here to break", code="demo.none")
        if body.camera is None:
            raise Invalid("say which camera", code="demo.no_camera")
        camera = parts.sites.get_camera(actor, CameraId(body.camera)).camera
        detail = {"fault": body.fault, "camera": camera.id}
        parts.oversight.permit(actor, Act.CAUSE_FAULTS, Resource.demo(), detail=detail)
        return FAULTS[body.fault](parts.demo, camera.id, camera.code)

    return router


def _cut(demo: DemoControls, camera: CameraId, code: str) -> DemoFaultDone:
    return DemoFaultDone(fault="cut_camera", camera=camera, recorder=None, until=demo.cut_camera(code))


def _mend(demo: DemoControls, camera: CameraId, code: str) -> DemoFaultDone:
    demo.mend_camera(code)
    return DemoFaultDone(fault="mend_camera", camera=camera, recorder=None, until=None)


def _kill(demo: DemoControls, camera: CameraId, _code: str) -> DemoFaultDone:
    return DemoFaultDone(fault="kill_recorder", camera=camera, recorder=demo.kill_recorder(camera), until=None)


FAULTS: dict[str, Callable[[DemoControls, CameraId, str], DemoFaultDone]] = {
    "cut_camera": _cut,
    "mend_camera": _mend,
    "kill_recorder": _kill,
}
