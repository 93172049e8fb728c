"""The commands `seed` and `traffic`."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Final

import click

from commerce_sync.cli import Context
from runtime.errors import Unreachable, UsageError
from runtime.settings import DatabaseAddress, Settings

if TYPE_CHECKING:
    from commerce_sync.sample.traffic import Progress

ADMIN_VARIABLE: Final = "COMMERCE_SYNC_LOCAL_ADMIN_URL"
_LINE_EVERY_S: Final = 3.0

Report = Callable[[int, int], None]

_url_option = click.option(
    "--url",
    help=f"An account that may write: mysql://admin:password@host:3306/. Default: {ADMIN_VARIABLE}.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")


@click.command()
@click.option("--products", type=click.IntRange(0), default=500, show_default=True, help="How many products.")
@click.option("--seed", type=int, default=1, show_default=True, help="Equal seeds give equal catalogs.")
@click.option("--reset", is_flag=True, help="Empty the database's Commerce tables first.")
@_url_option
@_json_option
@click.pass_obj
def seed(context: Context, products: int, seed: int, reset: bool, url: str | None, as_json: bool) -> None:
    """Fill a Commerce database with a deterministic sample catalog.

    Makes the database (the one of commerce.url, unless --url names one) and its tables when they are not
    there. Example: commerce-sync seed --products 5000
    """
    from commerce_sync.sample.seed import fill

    settings = context.settings()
    address = _address(settings, url)
    started = time.monotonic()
    with _progress(to_stderr=as_json) as report:
        counts = asyncio.run(
            fill(
                address, products, seed, report, settings.commerce.table_prefix,
                reset=reset, on_created=lambda: _grant(address),
            )
        )  # fmt: skip
    elapsed_s = time.monotonic() - started
    if as_json:
        told = {
            "database": address.database,
            "products": products,
            "rows": sum(counts.values()),
            "tables": len(counts),
            "seconds": round(elapsed_s, 1),
        }
        click.echo(json.dumps(told))
        return
    click.echo(
        f"{address.database} at {address.host}:{address.port}: {products} products, "
        f"{sum(counts.values())} rows in {len(counts)} tables, {elapsed_s:.1f} s"
    )


@click.command()
@click.option("--edits-per-second", type=click.FloatRange(0, min_open=True), default=5.0, show_default=True)
@click.option("--seconds", type=click.FloatRange(0), default=None, help="Default: until Ctrl-C.")
@click.option("--seed", type=int, default=1, show_default=True, help="Chooses the edits.")
@_url_option
@_json_option
@click.pass_obj
def traffic(
    context: Context,
    edits_per_second: float,
    seconds: float | None,
    seed: int,
    url: str | None,
    as_json: bool,
) -> None:
    """Edit the sample catalog as a working shop does.

    Prices, stock, names, images, categories, new and deleted products, imports; one transaction each, at a
    steady rate. Example: commerce-sync traffic --edits-per-second 10 --seconds 60
    """
    settings = context.settings()
    address = _address(settings, url)
    done = asyncio.run(
        _drive(address, settings.commerce.table_prefix, edits_per_second, seconds, seed, to_stderr=as_json)
    )
    rate = done.edits / done.elapsed_s if done.elapsed_s else 0.0
    if as_json:
        told = {
            "edits": done.edits,
            "seconds": round(done.elapsed_s, 1),
            "edits_per_second": round(rate, 1),
            "conflicts": done.conflicts,
        }
        click.echo(json.dumps(told))
        return
    conflicts = f", {done.conflicts} given up to other writers" if done.conflicts else ""
    click.echo(f"{done.edits} edits in {done.elapsed_s:.1f} s, {rate:.1f} a second{conflicts}")


def seed_now(admin_url: str, database: str, products: int, seed: int, *, reset: bool = False) -> int:
    """Fill a database without a word on the screen, for the demo and the benches; how many rows.

    Raises:
        UsageError: the database holds a catalog and `reset` is not set.
        Unreachable: it cannot be written to.
    """
    from commerce_sync.sample.database import address_of
    from commerce_sync.sample.seed import fill

    address = address_of(admin_url, database)
    return sum(asyncio.run(fill(address, products, seed, lambda *_: None, reset=reset)).values())


async def _drive(
    address: DatabaseAddress,
    prefix: str,
    edits_per_second: float,
    seconds: float | None,
    seed: int,
    *,
    to_stderr: bool,
) -> "Progress":
    from asyncmy.errors import OperationalError

    from commerce_sync.sample.database import connected
    from commerce_sync.sample.edits import open_shop
    from commerce_sync.sample.traffic import drive, wait_for

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    printed = time.monotonic()

    def report(progress: "Progress") -> None:
        nonlocal printed
        if time.monotonic() - printed >= _LINE_EVERY_S:
            printed = time.monotonic()
            late = f", {progress.late_s:.1f} s late" if progress.late_s > 1 else ""
            click.echo(f"{progress.edits} edits{late}; {progress.newest}", err=to_stderr)

    try:
        async with connected(address) as connection:
            shop = await open_shop(connection, Random(seed), prefix)
            return await drive(
                shop,
                edits_per_second,
                report,
                stop,
                seconds=seconds,
                clock=time.monotonic,
                wait=wait_for,
            )
    except OperationalError as error:
        message = (
            f"the database at {address.host}:{address.port} went away ({error.args[-1]}): start it again"
        )
        raise Unreachable(message) from error


def _address(settings: Settings, url: str | None) -> DatabaseAddress:
    from commerce_sync.sample.database import address_of

    admin_url = url or os.environ.get(ADMIN_VARIABLE)
    if not admin_url:
        message = (
            f"neither --url nor {ADMIN_VARIABLE} is given: name an account that may write, as "
            "mysql://admin:password@127.0.0.1:3306/, or load the environment of `commerce-sync local env`"
        )
        raise UsageError(message)
    return address_of(admin_url, settings.commerce.address.database)


def _grant(address: DatabaseAddress) -> None:
    """Let the local stack's read and capture accounts see a database that was just made there."""
    from asyncmy.errors import MySQLError

    from commerce_sync.local.accounts import grant_access
    from commerce_sync.sample.database import address_of

    local_url = os.environ.get(ADMIN_VARIABLE)
    if not local_url:
        return
    local = address_of(local_url, address.database)
    if (local.host, local.port) != (address.host, address.port):
        return
    try:
        grant_access(local_url, address.database)
    except MySQLError as error:
        # The catalog is of use without it, to an account that may read it.
        click.echo(f"commerce_sync and debezium may not read {address.database}: {error.args[-1]}", err=True)


@contextmanager
def _progress(*, to_stderr: bool) -> Iterator[Report]:
    """A bar on a terminal, a line every few seconds elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=to_stderr)
    if not console.is_terminal:
        yield _lines(to_stderr)
        return
    columns = (TextColumn("products"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, transient=True, console=console) as bar:
        task = bar.add_task("products", total=None)
        yield lambda done, products: bar.update(task, completed=done, total=products)


def _lines(to_stderr: bool) -> Report:
    printed = time.monotonic()

    def report(done: int, products: int) -> None:
        nonlocal printed
        if time.monotonic() - printed >= _LINE_EVERY_S:
            printed = time.monotonic()
            click.echo(f"{done} of {products} products", err=to_stderr)

    return report
