"""`safecity plan`: what a city of some size needs, as a table or as the JSON that the Health page shows."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from safecity.api.plan_routes import render_plan
from safecity.video.plan import CityPlan, plan_city

WORDS = {
    "storage_raw": "Storage, raw",
    "storage_with_overhead": "Storage with overhead",
    "storage_two_copies": "Storage, two copies",
    "disks_one_copy": "Disks for one copy",
    "disks_two_copies": "Disks for two copies",
    "network_in": "Network from the cameras",
    "network_live_out": "Network to the consoles",
    "write_bandwidth": "Writing to disk",
    "cores_recording": "Cores to record",
    "recorder_processes": "Recorders",
    "cores_analysis": "Cores to analyse",
    "cores_live": "Cores for live view",
    "servers": "Servers",
    "memory": "Memory",
    "database_rows": "Database, rows of the index",
    "database": "Database, size of the index",
    "power_loss_a_camera": "Power loss costs a camera at most",
    "power_loss_total": "Power loss costs in all at most",
    "driver_disks_a_core": "Cost: disks for each core",
    "driver_half_bitrate": "Cost: half the bit rate",
    "driver_one_copy": "Cost: one copy only",
    "driver_double_days": "Cost: twice the days",
    "driver_detect_always": "Cost: detecting all the time",
}


def plan(
    *,
    cameras: Annotated[int, typer.Option(help="Cameras in all.")] = 1400,
    mbit: Annotated[float, typer.Option(help="Mbit/s of a camera's main stream.")] = 4.0,
    days: Annotated[float, typer.Option(help="Days that recordings are kept.")] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Reckon disks, network, cores and what a power loss costs, from measured figures; every line has its formula."""
    reckoned = plan_city(cameras, mbit=mbit, days=days)
    if as_json:
        typer.echo(render_plan(reckoned).model_dump_json(indent=1))
        return
    print_plan(reckoned, Console())


def print_plan(plan: CityPlan, console: Console) -> None:
    """The table with its notes."""
    table = Table(
        title=f"{plan.cameras} cameras of {plan.mbit:g} Mbit/s, kept {plan.days:g} days",
        box=None, pad_edge=False, title_justify="left",
    )  # fmt: skip
    table.add_column("what")
    table.add_column("how much", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("how it was reckoned", style="dim", overflow="fold")
    for line in plan.lines:
        amount = f"{line.value:,.4g}" if line.value < 1000 else f"{line.value:,.0f}"
        table.add_row(WORDS[line.key], f"[bold]{amount}[/bold]", line.unit, escape(line.formula))
    console.print(table)
    for note in plan.notes:
        console.print(f"\n[dim]{escape(note)}[/dim]", highlight=False)
