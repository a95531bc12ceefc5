"""How fast the log is on this machine's disk: figures for `make bench`, measured on the database that is handed in.

It fills the log of that database; give it an empty one of its own.
"""

import time
from collections.abc import Callable
from datetime import timedelta

from safecity.oversight import log
from safecity.oversight.gate import Gate, Request
from safecity.oversight.model import Act, Actor, Limits, Resource, Role, SessionId, UserId
from safecity.oversight.verify import verify
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.errors import Denied

BATCH = 50
READS = 200
_BODY = {"actor": {"user": "usr_bench"}, "act": "view_live", "resource": {"kind": "camera", "id": "cam_bench"}}


def measure_log(database: Database, *, leaves: int) -> dict[str, float]:
    """Durable single appends, answers of the gate and batched appends each second; proofs and recomputation.

    Every single append and every answer is a commit of its own, on the disk before the next begins.
    """
    clock = SystemClock()

    def append_one() -> None:
        with database.begin() as connection:
            log.append(connection, type="bench", body=_BODY, at=clock.now())

    def append_batch() -> None:
        with database.begin() as connection:
            for _ in range(BATCH):
                log.append(connection, type="bench", body=_BODY, at=clock.now())

    figures = {
        "durable_appends_per_s": 1 / _mean_s(append_one, times=leaves),
        "durable_answers_per_s": 1 / _mean_s(_ask_for_a_look(database), times=leaves),
        "batched_appends_per_s": BATCH / _mean_s(append_batch, times=max(1, leaves // BATCH)),
    }
    with database.read() as connection:
        size = log.size_of(connection)
        proof = log.prove_inclusion(connection, size // 3)
        figures |= {
            "leaves": float(size),
            "root_ms": 1000 * _mean_s(lambda: log.state_of(connection), times=READS),
            "inclusion_proof_ms": 1000 * _mean_s(lambda: log.prove_inclusion(connection, size // 3), times=READS),
            "consistency_proof_ms": 1000 * _mean_s(lambda: log.prove_consistency(connection, size // 3), times=READS),
            "inclusion_proof_hashes": float(len(proof.path)),
            "verified_leaves_per_s": size / _mean_s(lambda: verify(connection), times=1),
        }
    return {name: round(value, 3) for name, value in figures.items()}


def _ask_for_a_look(database: Database) -> Callable[[], None]:
    """An answer of the gate: a refusal, since it does the same work as a yes and needs no session."""
    gate = Gate(database, limits=Limits(live_age=timedelta(hours=24)), clock=SystemClock())
    actor = Actor(user_id=UserId("usr_none"), name="none", role=Role.OPERATOR, session_id=SessionId("ses_none"))
    request = Request(actor=actor, act=Act.VIEW_LIVE, resource=Resource.camera("cam_bench"))

    def ask() -> None:
        try:
            gate.permit(request)
        except Denied:
            return

    return ask


def _mean_s(task: Callable[[], object], *, times: int) -> float:
    started_s = time.perf_counter()
    for _ in range(times):
        task()
    return (time.perf_counter() - started_s) / times
