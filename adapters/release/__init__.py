"""The connector that declares what agents carry out themselves, with a grant."""

from adapters.release.connector import ReleaseConnector
from adapters.release.load import create

__all__ = ["ReleaseConnector", "create"]
