"""Putting a city file into the registry: all of it in one transaction, or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from safecity.events import state_fact
from safecity.events.sites import CityImported
from safecity.platform.clock import to_us
from safecity.platform.database import serialise
from safecity.platform.errors import DataLoss, Invalid
from safecity.platform.ids import fact_id
from safecity.platform.secrets import SecretBox
from safecity.sites import store
from safecity.sites import tables as t
from safecity.sites.city import City
from safecity.sites.city_check import BadRow, CheckedCity, Known, OnProgress, check_city
from safecity.sites.city_file import CityFile
from safecity.sites.model import Camera, CameraId, Credentials, DistrictId, GateId
from safecity.sites.sources import open_credentials, seal_credentials
from safecity.sites.streams import host_of

_IMPORT_LOCK = 31
_SOURCE = "sites"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """`check_only` finds out what an import would do; `retire_missing` takes out of use what the file leaves out.

    Only kinds of which the file has at least one row are looked at for that, so that a file of a few new cameras
    does not retire the map; and what something in use still refers to stays.
    """

    check_only: bool = False
    retire_missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many rows of one table an import touched."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    retired: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did, or would do, by table."""

    rows: int
    tables: Mapping[str, Counts]
    notices: tuple[str, ...]
    check_only: bool

    def total(self) -> Counts:
        """All tables together."""
        every = self.tables.values()
        return Counts(
            added=sum(c.added for c in every),
            changed=sum(c.changed for c in every),
            unchanged=sum(c.unchanged for c in every),
            retired=sum(c.retired for c in every),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A file without a bad row, and what the registry held when that was found."""

    file: CityFile
    known: Known
    checked: CheckedCity
    city: City


def examine(connection: Connection, file: CityFile, *, on_progress: OnProgress | None = None) -> Examined:
    """Check the whole file against the registry; needs no write transaction, so it holds nobody up.

    Raises Invalid (`sites.bad_rows`) with every bad row.
    """
    known = _read_known(connection)
    checked = check_city(file.rows, known=known, on_progress=on_progress)
    if checked.city is None:
        raise _bad_rows(file, checked)
    return Examined(file=file, known=known, checked=checked, city=checked.city)


def _read_known(connection: Connection) -> Known:
    return Known(
        sites={site.id: site.position for site in store.list_sites(connection)},
        districts=frozenset(DistrictId(i) for i in store.list_active_ids(connection, t.districts)),
        gates=frozenset(GateId(i) for i in store.list_active_ids(connection, t.gates)),
        addresses={
            camera.id: frozenset(url for url in (camera.main_url, camera.sub_url) if url)
            for camera in store.list_cameras(connection)
        },
    )


@dataclass(slots=True, kw_only=True)
class Importer:
    """One import in the caller's write transaction."""

    connection: Connection
    box: SecretBox
    now: datetime
    options: ImportOptions = field(default_factory=ImportOptions)

    def write(self, examined: Examined) -> ImportReport:
        """Write an examined file; it is examined again when the registry has changed since. Raises Invalid."""
        serialise(self.connection, _IMPORT_LOCK)
        store.lock_cameras(self.connection)
        if _read_known(self.connection) != examined.known:
            examined = examine(self.connection, examined.file)
        savepoint = self.connection.begin_nested()
        report = self._write(examined.city, examined.checked)
        if self.options.check_only:
            savepoint.rollback()
        else:
            savepoint.commit()
        return report

    def _write(self, city: City, checked: CheckedCity) -> ImportReport:
        old_sealed = store.read_sealed(self.connection)
        counts: dict[str, Counts] = {}
        for table, rows in store.city_rows(city):
            if not rows:
                continue
            change = store.put(self.connection, table, rows=rows, now=self.now)
            others = store.list_active_ids(self.connection, table) if table is t.cities else []
            others = [i for i in others if i != rows[0]["id"]]
            self._retire(table, others)
            counts[table.name] = Counts(
                added=len(change.added),
                changed=len(change.changed),
                unchanged=len(change.unchanged),
                retired=len(others),
            )
            if table is t.cameras:
                resealed, notices = self._reseal(city, old_sealed)
                late = len(resealed & set(change.unchanged))
                before = counts[table.name]
                counts[table.name] = replace(before, changed=before.changed + late, unchanged=before.unchanged - late)
                checked = replace(checked, notices=(*checked.notices, *notices))
        if self.options.retire_missing:
            self._retire_missing(city, counts)
        return ImportReport(
            rows=checked.rows, tables=counts, notices=checked.notices, check_only=self.options.check_only
        )

    def _reseal(
        self, city: City, old: Mapping[CameraId, tuple[bytes | None, str, str | None]]
    ) -> tuple[set[str], list[str]]:
        """Store the sign-ins that the file gives, keep those it leaves out, and drop one whose address has moved.

        A kept sign-in goes to the same hosts only: else a changed address would send a known password elsewhere.
        """
        sealed: dict[CameraId, bytes | None] = {}
        dropped: list[str] = []
        for camera in city.cameras:
            box, *addresses = old.get(camera.id, (None, "", None))
            given = city.credentials.get(camera.id)
            if given is not None:
                if given != self._opened(box, camera.id):
                    sealed[camera.id] = seal_credentials(given, camera=camera.id, box=self.box)
            elif box is not None and not _hosts(camera) <= {host_of(a) for a in addresses if isinstance(a, str)}:
                sealed[camera.id] = None
                dropped.append(camera.code)
        store.set_sealed(self.connection, sealed)
        if not dropped:
            return set(sealed), []
        some = ", ".join(dropped[:5])
        return set(sealed), [f"{len(dropped)} cameras have a new address and lost their sign-in; give it again: {some}"]

    def _opened(self, sealed: bytes | None, camera: CameraId) -> Credentials | None:
        """What is stored; None also where it cannot be opened any more, since the file brings it anew."""
        try:
            return open_credentials(sealed, camera=camera, box=self.box)
        except DataLoss:
            return None

    def _retire_missing(self, city: City, counts: dict[str, Counts]) -> None:
        written = {table: {row["id"] for row in rows} for table, rows in store.city_rows(city) if rows}
        # Referring tables first: a site whose cameras have just been retired may go as well.
        for table in (t.zones, t.lines, t.cameras, t.sites, t.gates, t.districts, t.roads, t.places):
            if table in written:
                gone = set(store.list_active_ids(self.connection, table)) - written[table]
                gone -= self._referred_to(table)
                self._retire(table, sorted(gone))
                counts[table.name] = replace(counts[table.name], retired=len(gone))

    def _referred_to(self, table: sa.Table) -> set[str]:
        columns = {t.sites: t.cameras.c.site_id, t.gates: t.cameras.c.gate_id, t.districts: t.sites.c.district_id}
        column = columns.get(table)
        if column is None:
            return set()
        statement = sa.select(column).where(column.is_not(None), column.table.c.retired_at.is_(None))
        return set(self.connection.execute(statement).scalars())

    def _retire(self, table: sa.Table, ids: Sequence[str]) -> None:
        store.retire(self.connection, table, ids=ids, now=self.now)

    def announce(self, report: ImportReport) -> None:
        """State the fact that the registry changed, if it did."""
        total = report.total()
        log.info(
            "sites.city_imported",
            rows=report.rows,
            added=total.added,
            changed=total.changed,
            unchanged=total.unchanged,
            retired=total.retired,
        )
        if total.added + total.changed + total.retired == 0:
            return
        in_use = len(store.list_active_ids(self.connection, t.cameras))
        fact = CityImported(added=total.added, changed=total.changed, retired=total.retired, cameras=in_use)
        state_fact(
            self.connection,
            fact,
            id=fact_id(fact.type, to_us(self.now), total.added, total.changed, total.retired),
            source=_SOURCE,
            time=self.now,
            subject="city",
        )


def _hosts(camera: Camera) -> set[str]:
    return {host_of(url) for url in (camera.main_url, camera.sub_url) if url}


def _bad_rows(file: CityFile, checked: CheckedCity) -> Invalid:
    bad = checked.bad
    rows = "row is" if len(bad) == 1 else "rows are"
    return Invalid(
        f"{len(bad)} {rows} bad of {checked.rows}; nothing was imported. Correct them and import the file again",
        code="sites.bad_rows",
        counts_in=file.counts_in,
        rows=[bad_row_facts(row) for row in bad],
    )


def bad_row_facts(row: BadRow) -> dict[str, object]:
    """A bad row as JSON shows it."""
    return {"number": row.number, "kind": row.kind, "code": row.code, "reasons": list(row.reasons)}
