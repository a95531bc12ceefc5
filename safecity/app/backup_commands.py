"""`safecity backup` and `safecity restore`."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from safecity.app.backups import PUBLIC_KEY_FILE, backup_plan, read_lock, restore_plan
from safecity.platform.backup.contents import Manifest
from safecity.platform.backup.keys import Lock, Opener, lock_with, make_key_pair
from safecity.platform.backup.making import make_backup, write_backup
from safecity.platform.backup.restoring import read_head_manifest
from safecity.platform.backup.restoring import restore as restore_backup
from safecity.platform.clock import to_iso
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Invalid, NotFound
from safecity.platform.files import write_whole
from safecity.platform.settings import load_settings

backup_app = typer.Typer(no_args_is_help=True, help="Backups of the database and the keys.")

Config = Annotated[Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")]
Key = Annotated[Path | None, typer.Option(help="File with the private key from the safe.")]
Passphrase = Annotated[bool, typer.Option("--passphrase-stdin", help="Read a passphrase from standard input.")]


@backup_app.callback(invoke_without_command=True)
def backup(
    context: typer.Context,
    *,
    to: Annotated[str | None, typer.Option(help="Folder to write into; - for standard output.")] = None,
    without_index: Annotated[
        bool, typer.Option("--without-index", help="Leave the index of recordings out; it is made from files again.")
    ] = False,
    passphrase_stdin: Passphrase = False,
    config: Config = None,
) -> None:
    """Back the running system up: database, keys, settings; encrypted, read back, then named."""
    if context.invoked_subcommand is not None:
        return
    if to is None:
        raise Invalid("say where to with --to FOLDER, or --to - for standard output", code="backup.no_place")
    settings = load_settings(config)
    data_dir = settings.platform.data_dir.absolute()
    lock = lock_with(_read_passphrase()) if passphrase_stdin else read_lock(data_dir)
    plan = backup_plan(settings, has_index=not without_index, config=config)
    database = Database(settings.database_url())
    try:
        if to == "-":
            write_backup(sys.stdout.buffer, database, plan=plan, lock=lock, made_at=datetime.now(UTC))
            sys.stdout.buffer.flush()
            return
        path, manifest = make_backup(database, plan, lock=lock, directory=Path(to))
    finally:
        database.close()
    typer.echo(f"{path}: {_told(manifest)}")


@backup_app.command()
def keygen(
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Make a new key although there is one.")] = False,
    config: Config = None,
) -> None:
    """Make the key for backups; the private half is printed once, for the safe, and kept nowhere."""
    data_dir = load_settings(config).platform.data_dir.absolute()
    path = data_dir / PUBLIC_KEY_FILE
    if path.exists() and not replace:
        raise Conflict("there is a key already; with --replace, new backups need the new one", code="backup.has_key")
    private, public = make_key_pair()
    write_whole(path, public.encode() + b"\n", mode=0o644)
    typer.echo("Print this line and put it into the safe. Without it no backup can be opened; it is shown only now:")
    typer.echo(private)


@backup_app.command("verify")
def verify_file(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    *,
    key: Key = None,
    passphrase_stdin: Passphrase = False,
) -> None:
    """Read all of a backup and compare it with its manifest; nothing is restored."""
    typer.echo(f"whole: {_told(read_head_manifest(file, _opener(key, passphrase_stdin)))}")


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    *,
    to: Annotated[Path, typer.Option(help="Data folder of the restored system; empty, or without a system.")],
    database_url: Annotated[
        str | None, typer.Option(help="An empty PostgreSQL database; SQLite in the data folder if left away.")
    ] = None,
    key: Key = None,
    passphrase_stdin: Passphrase = False,
) -> None:
    """Restore a backup into an empty place; older schemas are brought up to date, the audit log is recomputed."""
    plan = restore_plan(to, database_url=database_url)
    manifest = restore_backup(file, _opener(key, passphrase_stdin), plan=plan)
    typer.echo(f"restored: {_told(manifest)}")
    typer.echo("Nobody is signed in. The settings of then lie in `restored/`; compare them with yours.")
    if not manifest.has_index:
        typer.echo("The index of recordings was left out: run `safecity store rebuild` where the recordings are.")


def _opener(key: Path | None, passphrase_stdin: bool) -> Lock | Opener:
    if (key is None) == (not passphrase_stdin):
        raise Invalid("give the private key with --key FILE, or --passphrase-stdin", code="backup.no_opener")
    if key is None:
        return Opener(passphrase=_read_passphrase())
    try:
        return Opener(private_key=key.read_text())
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {key}", code="backup.no_key") from error


def _read_passphrase() -> str:
    return sys.stdin.readline().rstrip("\n")


def _told(manifest: Manifest) -> str:
    rows = sum(one.rows for one in manifest.tables.values())
    index = "with" if manifest.has_index else "without"
    return (
        f"{rows} rows of {len(manifest.tables)} tables, {len(manifest.files)} files, log of {manifest.log.size} "
        f"leaves, {index} the index, made {to_iso(manifest.made_at)} at revision {manifest.revision}"
    )
