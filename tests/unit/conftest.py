"""The fakes are found by their names, as every helper beside a test is."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "fakes"))
