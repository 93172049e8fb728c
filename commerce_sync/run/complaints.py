"""What the roles of this machine say at /readyz: why something waits."""

from collections.abc import Iterator
from typing import Final

import requests

from commerce_sync.run.roles import processes
from runtime.health import PORT_MAX
from runtime.settings import Settings

_ROLE_S_MAX: Final = 1.0


def complaints(settings: Settings) -> list[str]:
    """Each once, in the order of the roles; those on other machines are asked where they are."""
    first = settings.http.metrics_port
    count = len(processes(settings, (), {}, "any")) if first else 0
    return list(dict.fromkeys(_asked(settings.http.host, first, count)))


def _asked(host: str, first: int, silent_max: int) -> Iterator[str]:
    """From a port on, until so many in a row are silent: of a role there may be several processes."""
    silent = 0
    for port in range(first, PORT_MAX + 1):
        if silent == silent_max:
            return
        try:
            answer = requests.get(f"http://{host}:{port}/readyz", timeout=_ROLE_S_MAX)
        except requests.RequestException:
            silent += 1
            continue
        silent = 0
        if answer.status_code == 503:
            yield answer.text.strip()
