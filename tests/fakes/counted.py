"""What metrics say since a moment: other tests of the same process count there, too."""

from collections.abc import Callable

from prometheus_client import REGISTRY


def sampled(name: str, by: str, **labels: str) -> dict[str, float]:
    """Samples of this full name with these labels: their sum for each value of the label `by`."""
    sums: dict[str, float] = {}
    for family in REGISTRY.collect():
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                sums[sample.labels[by]] = sums.get(sample.labels[by], 0.0) + sample.value
    return sums


def counting(name: str, by: str, **labels: str) -> Callable[[], dict[str, float]]:
    """From now on: by how much each has grown, without those that have not."""
    before = sampled(name, by, **labels)

    def grown() -> dict[str, float]:
        after = sampled(name, by, **labels)
        return {each: more for each, n in after.items() if (more := n - before.get(each, 0.0))}

    return grown
