"""The connector that sends mail over SMTP."""

from adapters.smtp.connector import SmtpConnector
from adapters.smtp.load import create

__all__ = ["SmtpConnector", "create"]
