"""What processes of the pipeline, and those that they start themselves, cost."""

from collections.abc import Iterable

import psutil


def with_own(process: psutil.Process) -> list[psutil.Process]:
    """A process and all those that it started."""
    return [process, *process.children(recursive=True)]


def cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    """Seconds of processor time that they have spent so far."""
    times = [process.cpu_times() for process in processes]
    return float(sum(each.user + each.system for each in times))
