"""Environment switches that operators of the exporter know: on is `1`."""

import os
from collections.abc import Mapping
from typing import Final

# The sink logs the payloads it sends.
EXTENDED_LOG: Final = "EXPORTER_EXTENDED_LOG"
# The ledger keeps every item's payload.
PERSIST_FEED: Final = "PERSIST_EXPORTED_FEED"
# The builder logs what its parts cost.
PROFILER: Final = "EXPORTER_PROFILER"


def is_on(switch: str, environ: Mapping[str, str] = os.environ) -> bool:
    return environ.get(switch) == "1"
