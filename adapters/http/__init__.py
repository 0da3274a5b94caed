"""The connector that carries out verbs declared in YAML over HTTP."""

from adapters.http.connector import HttpConnector
from adapters.http.load import create

__all__ = ["HttpConnector", "create"]
