"""The command `emulator`."""

import gc
import json
import shlex
import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from commerce_sync.emulator.server import Dialect, Emulator


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8400, show_default=True)
@click.option(
    "--dialect", type=click.Choice(["optimizer", "saas", "both"]), default="optimizer", show_default=True
)
@click.option(
    "--database",
    type=click.Path(dir_okay=False),
    default=":memory:",
    help="SQLite file that keeps the items. Without it they are gone at the end.",
)
@click.option("--requests-per-minute", type=click.IntRange(0), default=0, help="429 beyond; 0: no limit.")
@click.option("--products-per-minute", type=click.IntRange(0), default=0, help="429 beyond; 0: no limit.")
@click.option(
    "--public-key",
    type=click.Path(dir_okay=False),
    help="PEM file that signatures at the saas service are checked with. Without it a pair is made.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the settings as one JSON object.")
def emulator(
    port: int,
    dialect: "Dialect",
    database: str,
    requests_per_minute: int,
    products_per_minute: int,
    public_key: str | None,
    as_json: bool,
) -> None:
    """Serve the ingestion services on this machine until Ctrl-C.

    Example: commerce-sync emulator --port 8400 --dialect both --requests-per-minute 300
    """
    from commerce_sync.emulator.server import Emulator

    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    server = Emulator(
        port,
        database,
        dialect=dialect,
        public_key_file=public_key,
        requests_per_minute=requests_per_minute,
        products_per_minute=products_per_minute,
    )
    # A batch is thousands of young objects; collecting as often as usual takes 30 ms of every tenth request.
    gc.set_threshold(100_000, 20, 100)
    with server:
        signal.signal(signal.SIGINT, end)
        signal.signal(signal.SIGTERM, end)
        settings = server.settings_environment()
        if as_json:
            click.echo(json.dumps(settings))
        else:
            _introduce(server, settings)
        ended.wait()


def _introduce(server: "Emulator", settings: dict[str, str]) -> None:
    if server.serves("optimizer"):
        click.echo(f"catalog   {server.url}")
        click.echo(f"tokens    {server.token_url}")
        click.echo(f"items     {server.read_url}/products")
    if server.serves("saas"):
        click.echo(f"feeds     {server.saas_url}")
        click.echo(f"items     {server.read_url}/saas/products")
    click.echo(f"requests  {server.base_url}/_emulator/requests")
    click.echo(f"faults    {server.base_url}/_emulator/faults")
    click.echo()
    click.echo("Point the pipeline here with:")
    for name, value in settings.items():
        click.echo(f"export {name}={shlex.quote(value)}")
