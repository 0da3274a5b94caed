"""Checks a log from its entries alone: what a stranger can do without server or database."""
