"""The command `emulator`."""

import gc
import json
import signal
import threading
from types import FrameType

import click


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8400, show_default=True)
@click.option("--dialect", type=click.Choice(["optimizer"]), default="optimizer", show_default=True)
@click.option(
    "--database",
    type=click.Path(dir_okay=False),
    default=":memory:",
    help="SQLite file that keeps the items. Without it they are gone at the end.",
)
@click.option("--requests-per-minute", type=click.IntRange(0), default=0, help="429 beyond; 0: no limit.")
@click.option("--products-per-minute", type=click.IntRange(0), default=0, help="429 beyond; 0: no limit.")
@click.option("--json", "as_json", is_flag=True, help="Print the settings as one JSON object.")
def emulator(
    port: int,
    dialect: str,
    database: str,
    requests_per_minute: int,
    products_per_minute: int,
    as_json: bool,
) -> None:
    """Serve the ingestion services on this machine until Ctrl-C.

    \b
    Example:
      commerce-sync emulator --port 8400 --requests-per-minute 300
    """
    from commerce_sync.emulator.server import Emulator

    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    server = Emulator(
        port,
        database,
        requests_per_minute=requests_per_minute,
        products_per_minute=products_per_minute,
    )
    # A batch is thousands of young objects; collecting as often as usual takes 30 ms of every tenth request.
    gc.set_threshold(100_000, 20, 100)
    with server:
        signal.signal(signal.SIGINT, end)
        signal.signal(signal.SIGTERM, end)
        settings = server.settings_environment(dialect)
        if as_json:
            click.echo(json.dumps(settings))
        else:
            _introduce(server.url, server.token_url, server.base_url, settings)
        ended.wait()


def _introduce(url: str, token_url: str, base_url: str, settings: dict[str, str]) -> None:
    click.echo(f"catalog   {url}")
    click.echo(f"tokens    {token_url}")
    click.echo(f"items     {base_url}/_emulator/items/products")
    click.echo(f"requests  {base_url}/_emulator/requests")
    click.echo(f"faults    {base_url}/_emulator/faults")
    click.echo()
    click.echo("Point the pipeline here with:")
    for name, value in settings.items():
        click.echo(f"export {name}={value}")
