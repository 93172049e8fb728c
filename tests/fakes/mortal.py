"""Processes that are killed at a call to the outside, chosen by its number, and started again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar


class Killed(BaseException):
    """SIGKILL."""


@dataclass
class Mortal:
    """Counts the calls of all processes of one life; the process that makes call `dies_at` dies there."""

    calls: int = 0
    dies_at: int = -1

    def call(self) -> None:
        """The process would be killed here."""
        self.calls += 1
        if self.calls == self.dies_at:
            raise Killed


class Process(Protocol):
    """A sink that runs until nothing is left to do."""

    alive: bool

    def run(self) -> None: ...


P = TypeVar("P", bound=Process)


def run_on(process: P, again: Callable[[P], P], *, at_once: bool) -> P:
    """Run; a killed process is started again at once, or is left dead. Returns the last."""
    while process.alive:
        try:
            process.run()
            break
        except Killed:
            process.alive = False
            if at_once:
                process = again(process)
    return process


def differing_ends(ended: Any, calls: int, live: Callable[[int], Any]) -> dict[int, Any]:
    """How the lives end that do not end as the undisturbed one, by the call at which the process died.

    Args:
        calls: that the undisturbed process makes.
        live: gives the end when the process dies at a call.
    """
    return {call: after for call in range(1, calls + 1) if (after := live(call)) != ended}
