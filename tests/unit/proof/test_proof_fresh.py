"""The fresh build is read from rows as they are, whatever their texts are made of."""

from collections.abc import Sequence
from typing import Any

from commerce_sync.proof.fresh import pages
from runtime.errors import UnreadableText


class Rows:
    """A database that cannot read a text at first, as each new connection."""

    def __init__(self) -> None:
        self.mends_text = False

    def query(self, _: str, parameters: Sequence[Any]) -> list[tuple[int, str]]:
        if not self.mends_text:
            self.mends_text = True
            raise UnreadableText("a text is no UTF-8; it is read anew")
        return [(n, sku) for n, sku in ((1, "A"), (2, "B\ufffd")) if n > parameters[0]]


def test_a_sku_that_is_no_utf_8_is_met_at_the_first_page() -> None:
    """Each audit would end there, since each has a connection of its own."""
    assert list(pages(Rows(), "product", "")) == [["A", "B\ufffd"]]  # type: ignore[arg-type]
