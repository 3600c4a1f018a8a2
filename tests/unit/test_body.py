"""Bodies, put together out of what comes off the wire."""

from __future__ import annotations

import tracemalloc

from scapi._http.body import Body
from scapi._http.messages import HttpRequest


def test_a_body_of_tiny_chunks_takes_little_more_memory_than_it_is_long() -> None:
    """Each part on its own would take some fifty bytes: 64 MiB of them more than a gigabyte."""
    body = Body(200, {}, HttpRequest("https://h.test/"))
    tracemalloc.start()
    for _ in range(200_000):
        body.add(b"1,")
    assert body.response().body == b"1," * 200_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 400_000
