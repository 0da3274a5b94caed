"""Fixed bounds that keep one agent from using up what others need."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """``waits`` are requests that wait for a decision with their connection open."""

    pending_per_agent: int = 30
    pending_per_principal: int = 100
    submits_per_minute: int = 600
    reads_per_minute: int = 600
    requests_per_second: int = 200
    waits_per_agent: int = 64
    waits_total: int = 12_000
    max_body_bytes: int = 1_048_576
