"""What the doors count for Prometheus."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class ApiMetrics:
    """Requests by method, door and code; their seconds by method and door; streams that are open now."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.registry = registry
        self._requests = Counter(
            "ponte_requests",
            "Requests answered, by method, door and code",
            ("method", "door", "code"),
            registry=registry,
        )
        self._seconds = Histogram(
            "ponte_request_seconds",
            "Seconds that a request took, by method and door",
            ("method", "door"),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._streams = Gauge(
            "ponte_open_streams", "Event streams open now, by door", ("door",), registry=registry
        )
        # labels() is a lock and a tuple of strings each time; the label sets are few, so their children are kept.
        self._counters: dict[tuple[str, str, str], Counter] = {}
        self._timers: dict[tuple[str, str], Histogram] = {}

    def answered(self, method: str, door: str, code: str, seconds: float) -> None:
        """A request ended with `code` ("OK", an error's code or "CANCELLED")."""
        counter = self._counters.get((method, door, code))
        if counter is None:
            counter = self._counters[method, door, code] = self._requests.labels(method, door, code)
        counter.inc()
        timer = self._timers.get((method, door))
        if timer is None:
            timer = self._timers[method, door] = self._seconds.labels(method, door)
        timer.observe(seconds)

    def stream_opened(self, door: str) -> None:
        """An event stream began."""
        self._streams.labels(door).inc()

    def stream_closed(self, door: str) -> None:
        """An event stream ended."""
        self._streams.labels(door).dec()
