"""What the ear counts, as Prometheus text."""

from __future__ import annotations

from collections import Counter


class Counts:
    """Counters since the process began."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.items: Counter[str] = Counter()
        self.calls: Counter[tuple[str, str]] = Counter()
        """Providers' calls, by adaptor and result."""

    def text(self) -> str:
        """In Prometheus's format."""
        lines = ["# HELP oncue_requests_total Requests by route and status.", "# TYPE oncue_requests_total counter"]
        lines += [
            f'oncue_requests_total{{route="{route}",status="{status}"}} {n}'
            for (route, status), n in sorted(self.requests.items())
        ]
        lines += ["# HELP oncue_items_total Items by verdict.", "# TYPE oncue_items_total counter"]
        lines += [f'oncue_items_total{{verdict="{verdict}"}} {n}' for verdict, n in sorted(self.items.items())]
        lines += [
            "# HELP oncue_provider_calls_total Providers' calls by adaptor and result.",
            "# TYPE oncue_provider_calls_total counter",
        ]
        lines += [
            f'oncue_provider_calls_total{{adaptor="{adaptor}",result="{result}"}} {n}'
            for (adaptor, result), n in sorted(self.calls.items())
        ]
        return "\n".join(lines) + "\n"
