"""The run itself: a city is built, tormented, left to heal, and asked for its books."""

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from safecity.platform.database import Database
from safecity.sites.model import CameraId
from safecity.video.store import segments
from tools.chaos.acknowledged import Witness
from tools.chaos.cameras import Cameras
from tools.chaos.causes import Account, account
from tools.chaos.centre import Centre, CentreOptions, camera_id
from tools.chaos.deeds import Deed, Tormentor
from tools.chaos.disk import Disk
from tools.chaos.pictures import Judge
from tools.chaos.places import Place
from tools.chaos.starve import list_missing, starve
from tools.driving import wait_until

RESTS_S = 6.0
"""How long everything must have been recorded again at the end, before the books are looked at."""
LIVE_WITHIN_S = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosOptions:
    """What is tried, and for how long. `every_s` of each kind of deed: (first at, period, lasts from, to)."""

    folder: Path
    clips: Sequence[Path]
    cache: Path
    seconds: float
    places: int
    cameras_a_place: int
    disk_bytes: int
    centre: CentreOptions
    seed: int
    plan: dict[str, tuple[float, float, float, float]]
    bitrate_bps: int = 500_000
    starves_s: float = 60.0
    """Before all else: for so long, everything that looks is killed, hung and starved."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Everything that a report needs."""

    options: ChaosOptions
    began_at: datetime
    seconds: float
    account: Account
    deeds: list[Deed]
    clock: list[tuple[datetime, float]]
    files: int = 0
    pictures: int = 0
    damaged: int = 0
    not_in_files: int = 0
    wrong_length: list[str] = field(default_factory=list)
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    could_not: list[str] = field(default_factory=list)
    sent: int = 0
    starved_missing: list[str] = field(default_factory=list)

    def broken(self) -> list[str]:
        """What does not hold; empty is what is wanted."""
        found = [f"could not: {one}" for one in self.could_not]
        if abs(self.account.accounted_share - 1.0) > 1e-6:
            found.append(f"{self.account.accounted_share:.6%} of camera-seconds accounted")
        if self.account.unexplained_s > 0:
            found.append(f"{self.account.unexplained_s:.1f} s unexplained")
        misfits = [hole for hole in self.account.holes if hole.deed is None]
        if misfits:
            found.append(f"{len(misfits)} holes with a cause that no deed explains")
        if self.starved_missing:
            found.append(f"{len(self.starved_missing)} holes while what looks was killed, hung and starved")
        if self.lost:
            found.append(f"{len(self.lost)} acknowledged files lost or changed")
        if self.not_in_files:
            found.append(f"{self.not_in_files} pictures sent in recorded time are not in the files")
        return found + [f"{len(self.wrong_length)} files of a wrong length"] * bool(self.wrong_length)


class City:
    """Places, cameras, disk and centre, made and unmade together."""

    def __init__(self, options: ChaosOptions, *, number: int) -> None:
        self.options = options
        folder = options.folder
        self.places = [
            Cameras(
                place=Place(name=f"safecity-chaos-{number + n}", number=number + n),
                folder=folder / f"place-{number + n}", cache=options.cache, clips=options.clips,
                count=options.cameras_a_place, bitrate_bps=options.bitrate_bps,
            )
            for n in range(options.places)
        ]  # fmt: skip
        self.centre = Centre(data=folder / "data", options=options.centre)
        self.disk = Disk(image=folder / "disk.img", folder=self.centre.media, size_bytes=options.disk_bytes)
        self.logs = {
            camera_id(one, mount): one.folder / f"{mount}.main.sent" for one in self.places for mount in one.names
        }

    def start(self) -> None:
        """Everything up and every camera recorded."""
        for one in self.places:
            one.place.destroy()
            one.place.make()
            one.start()
        for one in self.places:
            one.wait_ready()
        self.centre.data.mkdir(parents=True, mode=0o700)
        self.disk.make()
        self.centre.prepare(self.places, clip=self.options.clips[0])
        self.centre.start()

    def wait_recorded(self, database: Database, *, since: datetime, within_s: float) -> None:
        """Until every camera has something recorded that reaches behind an instant of the centre's clock."""

        def behind() -> list[str]:
            with database.read() as connection:
                later = connection.execute(
                    segments.select().with_only_columns(segments.c.camera).where(segments.c.durable_until > since)
                )
                return sorted(set(self.logs) - set(later.scalars()))

        wait_until(lambda: not behind(), within_s=within_s, reason="every camera recorded")

    def destroy(self) -> None:
        """Leave nothing behind but the folder."""
        self.centre.destroy()
        for one in self.places:
            one.stop()
            one.place.destroy()
        self.disk.destroy()


def run_chaos(options: ChaosOptions, *, say: Callable[[str], None]) -> Outcome:
    """Torment a city for so long and account for it. The folder is emptied before."""
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    city = City(options, number=10 + options.seed % 200)
    try:
        city.start()
        database = city.centre.database()
        city.wait_recorded(database, since=datetime.now(UTC) - timedelta(days=1), within_s=LIVE_WITHIN_S)
        say(f"{len(city.logs)} cameras are recorded")
        return _torment(city, database, say=say)
    finally:
        city.destroy()


def _torment(city: City, database: Database, *, say: Callable[[str], None]) -> Outcome:
    options = city.options
    witness = Witness(database)
    tormentor = Tormentor(
        centre=city.centre, places=city.places, disk=city.disk, database=database,
        choice=random.Random(options.seed), plan=options.plan,
    )  # fmt: skip
    judge = Judge(media=city.centre.media, logs=city.logs, offsets=tormentor.clock)
    witness.start()
    starved = _starve(city, database, say=say)
    began, began_s = datetime.now(UTC), time.monotonic()
    say("tormenting")
    _do_all(tormentor, witness, judge, seconds=options.seconds, say=say)
    could_not = tormentor.settle()
    say("healing")
    offset = timedelta(seconds=tormentor.clock[-1][1]) if tormentor.clock else timedelta()
    healed = datetime.now(UTC) + offset
    try:
        city.wait_recorded(database, since=healed + timedelta(seconds=RESTS_S), within_s=RESTS_S + 120)
    except AssertionError as error:
        could_not.append(f"have {error}")
    until = datetime.now(UTC) + offset - timedelta(seconds=8)
    found = account(
        database, [CameraId(one) for one in city.logs], since=began, until=until, now=datetime.now(UTC) + offset,
        deeds=tormentor.deeds, clock=tormentor.clock,
    )  # fmt: skip
    seconds = time.monotonic() - began_s
    if city.centre.stop() != 0:
        could_not.append("end the centre in peace")
    witness.stop()
    outcome = Outcome(
        options=options, began_at=began, seconds=seconds, account=found, deeds=tormentor.deeds, clock=tormentor.clock,
        could_not=could_not, starved_missing=starved,
    )  # fmt: skip
    say("judging what is left")
    _judge_all(outcome, witness, judge)
    outcome.sent = sum(path.stat().st_size // 32 for path in city.logs.values())
    database.close()
    return outcome


def _starve(city: City, database: Database, *, say: Callable[[str], None]) -> list[str]:
    say("killing, hanging and starving what looks")
    from_at, to_at = starve(city.centre, seconds=city.options.starves_s)
    city.wait_recorded(database, since=to_at, within_s=LIVE_WITHIN_S)
    cameras = [CameraId(one) for one in city.logs]
    return list_missing(database, cameras, from_at=from_at, to_at=to_at, now=datetime.now(UTC))


def _do_all(
    tormentor: Tormentor, witness: Witness, judge: Judge, *, seconds: float, say: Callable[[str], None]
) -> None:
    """One deed after the other at its time, and between them each closed file looked at."""
    choice, plan = tormentor.choice, tormentor.plan
    due = {what: first for what, (first, _, _, _) in plan.items()}
    began_s, told = time.monotonic(), 0
    while (passed_s := time.monotonic() - began_s) < seconds:
        for what, at_s in due.items():
            if passed_s >= at_s:
                _, period_s, least_s, most_s = plan[what]
                tormentor.do(what, for_s=choice.uniform(least_s, most_s))
                due[what] = at_s + period_s * choice.uniform(0.7, 1.3)
        for word in witness.take_closed():
            judge.judge(word)
        if passed_s // 60 > told:
            told = int(passed_s // 60)
            bad = sum(1 for one in judge.judged.values() if one.problem or one.not_in_it)
            counts = Counter(deed.kind for deed in tormentor.deeds)
            say(f"{told} min: {sum(counts.values())} deeds, {len(judge.judged)} files judged, {bad} bad")
        time.sleep(0.1)


def _judge_all(outcome: Outcome, witness: Witness, judge: Judge) -> None:
    """Every file that was ever acknowledged, as it is at the end."""
    for word in witness.words.values():
        before = judge.judged.get(word.path)
        if before is None or before.word != word or before.problem:
            judge.judge(word)
        elif not (judge.media / word.path).is_file():
            before.problem = "it is gone"
    outcome.acknowledged = len(witness.words)
    outcome.lost += witness.taken_back
    for one in judge.judged.values():
        outcome.files += 1
        outcome.pictures += one.pictures
        outcome.damaged += one.damaged
        outcome.not_in_files += one.not_in_it
        if one.problem:
            outcome.lost.append(f"{one.word.path}: {one.problem}")
        if abs(one.wrong_by_s) > 3.0:
            outcome.wrong_length.append(f"{one.word.path}: {one.wrong_by_s:+.2f} s")
        if one.not_in_it:
            outcome.problems.append(f"{one.word.path}: {one.not_in_it} pictures not in it")
