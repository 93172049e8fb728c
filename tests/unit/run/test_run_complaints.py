"""Whoever waits hears what the roles of this machine complain of."""

from http import HTTPStatus

import pytest
import requests

from commerce_sync.run.complaints import complaints
from commerce_sync.run.roles import processes
from runtime.settings import HttpSettings, Settings, TargetSettings

SETTINGS = Settings(
    targets={"shop": TargetSettings(url="http://shop")}, http=HttpSettings(metrics_port=9300, host="here")
)


@pytest.mark.parametrize("builders", [1, 8])
def test_the_sink_is_asked_however_many_processes_stand_before_it(
    builders: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each process has the next port, and only 'run' knows how many of a role there are."""
    running = processes(SETTINGS, (), {"builder": builders}, "here")
    said = {9300 + n: each.role for n, each in enumerate(running)}

    def get(url: str, timeout: float) -> requests.Response:
        port = int(url.removeprefix("http://here:").removesuffix("/readyz"))
        if port not in said:
            raise requests.ConnectionError
        answer = requests.Response()
        answer.status_code = HTTPStatus.SERVICE_UNAVAILABLE if said[port] == "sink" else HTTPStatus.OK
        answer._content = b"the service does not let us in\n"
        return answer

    monkeypatch.setattr(requests, "get", get)

    assert complaints(SETTINGS) == ["the service does not let us in"]
