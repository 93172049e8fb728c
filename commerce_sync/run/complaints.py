"""What the roles of this machine say at /readyz: why something waits."""

from collections.abc import Iterable, Iterator
from typing import Final

import requests

from commerce_sync.run.roles import processes
from runtime.settings import Settings

_ROLE_S_MAX: Final = 1.0


def complaints(settings: Settings) -> list[str]:
    """Each once, in the order of the roles; those on other machines are asked where they are."""
    first = settings.http.metrics_port
    count = len(processes(settings, (), {}, "any")) if first else 0
    return list(dict.fromkeys(_asked(settings.http.host, range(first, first + count))))


def _asked(host: str, ports: Iterable[int]) -> Iterator[str]:
    for port in ports:
        try:
            answer = requests.get(f"http://{host}:{port}/readyz", timeout=_ROLE_S_MAX)
        except requests.RequestException:
            continue
        if answer.status_code == 503:
            yield answer.text.strip()
