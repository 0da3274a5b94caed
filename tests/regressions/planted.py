"""Every planted fault; ``python -m tests.regressions.faults`` plants them."""

from typing import Final

from tests.regressions.plants import deciding, doing, elsewhere, showing
from tests.regressions.plants.fault import Edit, Fault

__all__ = ["FAULTS", "Edit", "Fault"]

FAULTS: Final = (*deciding.FAULTS, *showing.FAULTS, *doing.FAULTS, *elsewhere.FAULTS)
