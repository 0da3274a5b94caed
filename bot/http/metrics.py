"""Counters for Prometheus, in a registry of their own.

What the use cases counted is exported from their tally; what only HTTP knows is counted here.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from bot.service.tally import Tally

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SUBMITS_ABOUT = "From the last header of a submit to its durable commit."
_SUBMIT_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """``waiting`` tells how many callers are parked."""

    def __init__(self, tally: Tally, *, waiting: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Tallied(tally))
        self._problems = Counter(
            "keyturn_problems_total",
            "Requests answered with a problem, by listener and code.",
            ["listener", "code"],
            registry=self._registry,
        )
        self.submits = Latencies("keyturn_submit_seconds", _SUBMITS_ABOUT, _SUBMIT_BUCKETS_S)
        self._registry.register(self.submits)
        self._pending = Gauge(
            "keyturn_pending_proposals", "Proposals that wait for people.", registry=self._registry
        )
        waits = Gauge(
            "keyturn_waiting_requests",
            "Requests parked until something happens.",
            registry=self._registry,
        )
        waits.set_function(waiting)

    def problem(self, listener: str) -> Callable[[str], None]:
        return lambda code: self._problems.labels(listener, code).inc()

    def exposition(self, *, pending: int) -> bytes:
        """Return everything in Prometheus' text format."""
        self._pending.set(pending)
        return generate_latest(self._registry)


class Latencies(Collector):
    """A histogram for one thread: the library's own locks twice for each observation."""

    def __init__(self, name: str, about: str, buckets_s: Sequence[float]) -> None:
        self._name = name
        self._about = about
        self._bounds = tuple(buckets_s)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        bounds = [*map(str, self._bounds), "+Inf"]
        buckets = list(zip(bounds, map(float, accumulate(self._counts)), strict=True))
        yield HistogramMetricFamily(self._name, self._about, buckets=buckets, sum_value=self._sum)


class _Tallied(Collector):
    """Exports each (name, label) of a tally as ``keyturn_NAME_total{kind="LABEL"}``."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[CounterMetricFamily]:
        by_name: dict[str, dict[str, int]] = defaultdict(dict)
        for (name, label), count in tuple(self._tally.counts.items()):
            by_name[name][label] = count
        for name, labels in sorted(by_name.items()):
            family = CounterMetricFamily(
                f"keyturn_{name}", f"What was {name}, by kind, since the start.", labels=["kind"]
            )
            for label, count in sorted(labels.items()):
                family.add_metric([label], count)
            yield family
