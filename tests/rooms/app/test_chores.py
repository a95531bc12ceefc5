"""Work in a rhythm goes on after a failure, and says it once."""

import pytest

from safecity.app.chores import Chore
from safecity.app.stack import check_addresses
from safecity.platform.errors import Invalid, Unavailable
from safecity.platform.settings import Settings


@pytest.mark.parametrize("failure", [Unavailable("away"), OSError("full")])
def test_a_failing_chore_is_tried_again_in_its_rhythm(failure: Exception) -> None:
    runs: list[float] = []

    def work() -> None:
        runs.append(0.0)
        if len(runs) < 3:
            raise failure

    chore = Chore("test", work, every_s=10)
    for now_s in (0.0, 5.0, 10.0, 20.0, 25.0, 30.0):
        chore.run_if_due(now_s)
    assert len(runs) == 4


def test_a_fault_of_our_own_is_not_hidden() -> None:
    def work() -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        Chore("test", work, every_s=1).run_if_due(0.0)


def test_an_open_address_needs_its_public_name() -> None:
    check_addresses(Settings())
    with pytest.raises(Invalid, match="public_url"):
        check_addresses(Settings.model_validate({"web": {"host": "0.0.0.0"}}))
    public = {"host": "0.0.0.0", "public_url": "https://a.example", "gateway_url": "https://m.example"}
    check_addresses(Settings.model_validate({"web": public}))
