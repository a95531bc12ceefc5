"""What people may ask of the registry, by role; nothing they get holds an address with a secret."""

from collections.abc import Callable
from dataclasses import asdict

import pytest

from safecity.oversight.model import Actor, Role
from safecity.platform.errors import Denied, NotFound
from safecity.sites.model import CameraId, CameraState, SiteId

from .conftest import Centre

ActorOf = Callable[[Role], Actor]


def test_everyone_may_list_and_nothing_is_secret(centre: Centre, actor_of: ActorOf) -> None:
    centre.import_quetta(60)
    for role in Role:
        actor = actor_of(role)
        cameras = centre.sites.list_cameras(actor)
        assert len(cameras) == 60
        sites = centre.sites.list_sites(actor)
        assert sorted(c for site in sites for c in site.cameras) == sorted(c.camera.id for c in cameras)
        features = centre.sites.map_features(actor)["features"]
        assert "Hunter2" not in repr((cameras, sites, features))
        assert "Hunter2" not in str([asdict(c) for c in cameras])


def test_health_is_for_those_who_care_for_it(centre: Centre, actor_of: ActorOf) -> None:
    centre.import_quetta(16)
    assert len(centre.sites.list_health(actor_of(Role.TECHNICIAN))) == 16
    with pytest.raises(Denied):
        centre.sites.list_health(actor_of(Role.OPERATOR))


def test_a_listing_leaves_no_leaf_and_a_refusal_does(centre: Centre, actor_of: ActorOf) -> None:
    centre.import_quetta(16)
    auditor, operator = actor_of(Role.AUDITOR), actor_of(Role.OPERATOR)
    size = centre.oversight.log_state(auditor).size
    centre.sites.list_cameras(operator)
    centre.sites.map_features(operator)
    assert centre.oversight.log_state(auditor).size == size
    with pytest.raises(Denied):
        centre.sites.list_health(operator)
    assert centre.oversight.log_state(auditor).size == size + 1


def test_a_camera_with_what_is_drawn_on_it(centre: Centre, actor_of: ActorOf) -> None:
    centre.import_quetta(16)
    actor = actor_of(Role.OPERATOR)
    detail = centre.sites.get_camera(actor, CameraId("cam_qta-001-01"))
    assert detail.camera.gate == "gate_north"
    assert detail.streams == ("main", "sub")
    assert [line.code for line in detail.lines] == ["NORTH-IN"]
    assert detail.lines[0].picture is not None
    assert detail.state.state is CameraState.UNKNOWN
    assert centre.sites.get_site(actor, SiteId("site_qta-001")).cameras == (CameraId("cam_qta-001-01"),)
    with pytest.raises(NotFound):
        centre.sites.get_camera(actor, CameraId("cam_none"))
    with pytest.raises(NotFound):
        centre.sites.get_site(actor, SiteId("site_none"))


def test_a_retired_camera_can_still_be_asked_for(centre: Centre, actor_of: ActorOf) -> None:
    centre.import_quetta(60)
    actor = actor_of(Role.OPERATOR)
    before = {c.camera.id for c in centre.sites.list_cameras(actor)}
    centre.import_quetta(16, retire_missing=True)
    after = {c.camera.id for c in centre.sites.list_cameras(actor)}
    gone = min(before - after)
    assert centre.sites.get_camera(actor, gone).camera.retired_at is not None
    assert gone not in centre.sites.camera_states()


def test_the_map_says_that_its_roads_are_invented(centre: Centre, actor_of: ActorOf) -> None:
    actor = actor_of(Role.OPERATOR)
    empty = centre.sites.map_features(actor)
    assert (empty["note"], empty["features"]) == ("", [])
    centre.import_quetta(16)
    city = centre.sites.map_features(actor)
    assert "invented" in str(city["note"])
    features = city["features"]
    assert isinstance(features, list)
    kinds = {feature["properties"]["kind"] for feature in features}
    assert kinds == {"district", "road", "gate", "police", "hospital", "zone"}
    for feature in features:
        if feature["geometry"]["type"] == "Polygon":
            ring = feature["geometry"]["coordinates"][0]
            assert ring[0] == ring[-1]
