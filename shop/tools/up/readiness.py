"""Ways to know that a child is ready: by what it says, or by what it answers."""

from __future__ import annotations

import urllib.error
import urllib.request

from shop.tools.up.children import Child, Probe


def says(text: str) -> Probe:
    return lambda child: text in child.output()


def answers(url: str) -> Probe:
    """Ready when a GET is answered 200, by no proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def probe(child: Child) -> bool:
        try:
            with opener.open(url, timeout=2) as response:
                return int(response.status) == 200
        except (urllib.error.URLError, OSError, ValueError):
            return False

    return probe
