"""Decide which of an agent's write actions may leave, and carry them out."""
