"""Kafka Connect's REST API, as far as one connector needs it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import requests
from requests.utils import get_auth_from_url, urldefragauth

from runtime.errors import NotFine, Unreachable

REQUEST_S_MAX: Final = 10.0
# Validation logs in to the database from the worker, which waits for 30 s on a host that does not answer.
VALIDATE_S_MAX: Final = 45.0
BUSY_S_MAX: Final = 30.0
RETRY_S: Final = 0.25

# A rebalance, or a worker that is just starting: the same request passes a moment later.
_BUSY: Final = frozenset({409, 503})


@dataclass(frozen=True, slots=True)
class ConnectorState:
    """What Connect itself believes; RUNNING proves nothing, FAILED does."""

    connector: str
    tasks: tuple[str, ...]
    trace: str  # of the connector or its first failed task; empty when none failed

    @property
    def failed(self) -> bool:
        return "FAILED" in (self.connector, *self.tasks)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A property the worker does not take, in its own words."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


class Connect:
    """One Connect cluster, by the address of any of its workers.

    Every method raises Unreachable when no worker answers (the sentence names `capture.connect_url`) and
    NotFine when the worker refuses.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        # Sentences and logs name the address; user and password in it are nobody's business.
        self.url = urldefragauth(url).rstrip("/")
        self._clock = clock
        self._wait = wait
        self._session = requests.Session()
        if any(user := get_auth_from_url(url)):
            self._session.auth = user
        # The environment's proxies are for the outside world, not for a worker next door.
        self._session.trust_env = False

    def plugin_classes(self) -> set[str]:
        """Classes of the source connectors that are installed."""
        return {plugin["class"] for plugin in self._ask("GET", "/connector-plugins") or []}

    def config(self, name: str) -> dict[str, str] | None:
        """The stored configuration, placeholders unresolved; None when there is no such connector."""
        answer: dict[str, str] | None = self._ask("GET", f"{_path(name)}/config")
        return answer

    def validate(self, config: Mapping[str, str]) -> list[Refusal]:
        """Let the worker judge a configuration without keeping it; it logs in to the database to do so."""
        plugin = quote(config["connector.class"], safe="")
        answer = self._ask(
            "PUT", f"/connector-plugins/{plugin}/config/validate", dict(config), seconds_max=VALIDATE_S_MAX
        )
        if answer is None:
            message = (
                f"capture.connect_url = {self.url}: the worker has no plugin {config['connector.class']}; "
                "put Debezium's connector on its plugin.path"
            )
            raise NotFine(message)
        values = [field["value"] for field in answer["configs"]]
        return [Refusal(value["name"], " ".join(value["errors"])) for value in values if value["errors"]]

    def put_config(self, config: Mapping[str, str]) -> None:
        """Create the connector or change it. The same configuration again still restarts its task."""
        self._ask("PUT", f"{_path(config['name'])}/config", dict(config))

    def delete(self, name: str) -> bool:
        """Remove the connector. Its offsets stay, so that one of the same name goes on where it stopped."""
        existed = self.config(name) is not None
        self._ask("DELETE", _path(name))
        return existed

    def state(self, name: str) -> ConnectorState | None:
        """None when there is no such connector, or it was made a moment ago."""
        answer = self._ask("GET", f"{_path(name)}/status")
        if answer is None:
            return None
        parts = [answer["connector"], *answer["tasks"]]
        traces = [part.get("trace", "") for part in parts if part["state"] == "FAILED"]
        return ConnectorState(
            answer["connector"]["state"],
            tuple(task["state"] for task in answer["tasks"]),
            traces[0] if traces else "",
        )

    def stop(self, name: str, seconds_max: float = BUSY_S_MAX) -> None:
        """Stop the connector and wait until its task is gone; before that, offsets cannot be touched."""
        self._ask("PUT", f"{_path(name)}/stop")
        deadline = self._clock() + seconds_max
        while (state := self.state(name)) is None or state.connector != "STOPPED" or state.tasks:
            if self._clock() > deadline:
                message = (
                    f"connector '{name}' does not stop within {seconds_max:.0f} s: look at the log of the "
                    f"worker at capture.connect_url = {self.url}"
                )
                raise NotFine(message)
            self._wait(RETRY_S)

    def resume(self, name: str) -> None:
        """Go on after `stop`."""
        self._ask("PUT", f"{_path(name)}/resume")

    def restart_failed(self, name: str) -> None:
        """Start again what has failed, and only that."""
        self._ask("POST", f"{_path(name)}/restart?includeTasks=true&onlyFailed=true")

    def offsets(self, name: str) -> list[dict[str, Any]]:
        """Where the connector is in the binlog: `partition` and `offset` as Debezium writes them."""
        answer = self._ask("GET", f"{_path(name)}/offsets")
        offsets: list[dict[str, Any]] = answer["offsets"] if answer else []
        return offsets

    def delete_offsets(self, name: str) -> None:
        """Forget the binlog position; the connector must be stopped, and resumes at the log's present end."""
        self._ask("DELETE", f"{_path(name)}/offsets")

    def _ask(self, method: str, path: str, body: object = None, *, seconds_max: float = REQUEST_S_MAX) -> Any:
        """Return the decoded answer, None for 404 or an empty one."""
        deadline = self._clock() + BUSY_S_MAX
        while True:
            response = self._send(method, path, body, seconds_max)
            if not _is_busy(response):
                return self._read(response)
            if self._clock() > deadline:
                message = (
                    f"capture.connect_url = {self.url}: the worker is still rebalancing after "
                    f"{BUSY_S_MAX:.0f} s ({_reason(response)}); look at its log"
                )
                raise Unreachable(message)
            self._wait(RETRY_S)

    def _send(self, method: str, path: str, body: object, seconds_max: float) -> requests.Response:
        try:
            return self._session.request(
                method, self.url + path, json=body, timeout=(5, seconds_max), allow_redirects=False
            )
        except requests.Timeout as error:
            message = (
                f"capture.connect_url = {self.url} gave no answer in {seconds_max:.0f} s: look at its log"
            )
            raise Unreachable(message) from error
        except (requests.RequestException, ValueError) as error:
            message = (
                f"capture.connect_url = {self.url} cannot be reached: start Kafka Connect or correct the "
                "address"
            )
            raise Unreachable(message) from error

    def _read(self, response: requests.Response) -> Any:
        if response.status_code == 204:
            return None
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        if response.ok and (is_json or not response.content):
            return response.json() if response.content else None
        if not is_json or response.is_redirect:
            message = (
                f"capture.connect_url = {self.url} is answered by something else than Kafka Connect "
                f"({response.status_code}): correct the address"
            )
            raise Unreachable(message)
        if response.status_code == 404:
            return None
        message = (
            f"capture.connect_url = {self.url}: the worker answered {response.status_code} "
            f"({_reason(response)}); look at its log"
        )
        raise NotFine(message)


def _path(name: str) -> str:
    return f"/connectors/{quote(name, safe='')}"


def _reason(response: requests.Response) -> str:
    try:
        text = str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        text = response.text
    return text.strip().partition("\n")[0][:300] or "no reason given"


def _is_busy(response: requests.Response) -> bool:
    """True during a rebalance, for which the worker has several answers, among them a plain 500."""
    return response.status_code in _BUSY or (response.status_code == 500 and b"rebalance" in response.content)
