"""Speak to other people's systems, one folder a vendor."""
