"""A budget in Redis or Valkey for all processes and machines that use a key.

Async and sync clients share it: their side never blocks, and a thread talks to Redis.
"""

from __future__ import annotations

import _thread
import os
import threading
import time
import weakref
from contextlib import suppress
from functools import cache
from hashlib import blake2b, sha1
from importlib.resources import files
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol, Self

import msgspec

from scapi._base import forks, validation
from scapi._base.escaping import log
from scapi._base.extras import extra
from scapi._base.secrets import Secret
from scapi._ratelimit.shared import SharedBudget

if TYPE_CHECKING:
    from scapi._ratelimit.protocol import Pacing

#: The Redis keys of one budget, after the prefix and the budget's name.
KEYS = ("state", "owners", "processes", "lines", "reserves", "askers")
#: The longest sleep of a thread, in seconds, before it checks whether it is still needed.
LOOK = 1.0


def of_environment() -> RedisBudget | None:
    """Return the budget of `SCAPI_REDIS_URL`, shared by all clients of this process, or None if it isn't set.

    Raises:
        ImportError: redis-py isn't installed.
        ValueError: The URL is invalid. It isn't shown, because it may contain a password.
    """
    url = os.environ.get("SCAPI_REDIS_URL")
    return _of_url(url) if url else None


@cache
def _of_url(url: str) -> RedisBudget:
    try:
        return RedisBudget.from_url(url)
    except ValueError as error:
        raise ValueError(f"SCAPI_REDIS_URL: {error}") from None


class _Client(Protocol):
    """The methods used of a redis-py client."""

    def evalsha(self, sha: str, numkeys: int, *keys_and_args: str) -> Any: ...
    def eval(self, script: str, numkeys: int, *keys_and_args: str) -> Any: ...


class RedisBudget:
    """A budget that all processes and machines on a key share, in Redis or Valkey (extra `redis`).

    Pass it to a client, or set `SCAPI_REDIS_URL` for all clients without one. Clients with the same host and
    credentials then share points, reset, measured costs and blocks. Calls take turns fairly among the processes and by
    priority. While Redis is unavailable, each process continues with a share of the points.

    Args:
        client: A redis-py client: `Redis`, `RedisCluster`, or the result of `Sentinel.master_for`. Its timeouts
            should be about as long as `timeout`. It is never closed.
        prefix: The prefix of the keys in Redis. Budgets with different prefixes are independent.
        share: The part of the points that each process spends while Redis is unavailable, above 0 to 1. `None`: an
            equal part among the processes that were last seen, or an eighth if there were none.
        timeout: Seconds without a reply after which Redis counts as unavailable, above 0.

    Raises:
        ValueError: An argument is out of its range.
    """

    def __init__(
        self, client: _Client, *, prefix: str = "scapi", share: float | None = None, timeout: float = 0.5
    ) -> None:
        if share is not None and not 0 < share <= 1:
            raise validation.refuse("share", share, "None, or above 0 and at most 1")
        if not prefix or not prefix.isprintable() or set("{}") & set(prefix):
            raise validation.refuse("prefix", prefix, "printable text without braces")
        self._client = client
        self._prefix = prefix
        self._share = share
        self._timeout = validation.positive("timeout", timeout)
        self._url: Secret | None = None
        self._is_cluster = False
        # Not a `WeakValueDictionary`: its callbacks run wherever an object dies, and an exception from a signal handler
        # is lost in them.
        self._budgets: dict[tuple[str, str], weakref.ref[SharedBudget]] = {}
        self.forked()
        forks.reset_after_fork(self)

    def forked(self) -> None:
        """Start afresh in the child of a fork: another thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    @classmethod
    def from_url(
        cls,
        url: str | Secret,
        *,
        prefix: str = "scapi",
        share: float | None = None,
        timeout: float = 0.5,
        cluster: bool = False,
    ) -> Self:
        """Create a budget from a redis-py URL.

        Args:
            url: `redis://`, `rediss://` or `unix://`, with user, password and database as redis-py documents it.
            prefix: See `RedisBudget`.
            share: See `RedisBudget`.
            timeout: See `RedisBudget`; also for connecting.
            cluster: Whether the URL is a node of a Redis cluster. For Sentinel, pass a client to the constructor.

        Raises:
            ImportError: redis-py isn't installed.
            ValueError: An argument is invalid. The URL isn't shown, because it may contain a password.
        """
        url = Secret.of(url)
        with extra("redis"):
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        kind: Any = redis.RedisCluster if cluster else redis.Redis
        timeout = validation.positive("timeout", timeout)
        try:
            # Calls don't wait for a second attempt: they continue without Redis.
            options = {} if cluster else {"retry": Retry(NoBackoff(), 0)}
            client = kind.from_url(url.reveal(), socket_timeout=timeout, socket_connect_timeout=timeout, **options)
        except redis.RedisError as error:  # a cluster client fetches its nodes at once
            raise ValueError(f"url: no cluster answers there ({type(error).__name__})") from None
        except (ValueError, TypeError, AttributeError):
            raise ValueError(
                "url must be redis://host:port/db, rediss:// or unix://path, as redis-py takes it"
            ) from None
        made = cls(client, prefix=prefix, share=share, timeout=timeout)
        made._url, made._is_cluster = url, cluster
        return made

    def budget_for(self, base_url: str, credentials: str) -> Pacing:
        """Return the budget of a host and credentials.

        Args:
            base_url: The base URL, lower case.
            credentials: A fingerprint that doesn't reveal the credentials.

        Returns:
            The budget, which lives as long as it is referenced.
        """
        with self._lock:
            known = self._budgets.get((base_url, credentials))
            budget = None if known is None else known()
            if budget is None:
                for gone in [key for key, held in self._budgets.items() if held() is None]:
                    self._budgets.pop(gone, None)
                name = blake2b(f"{base_url}\n{credentials}".encode(), digest_size=12).hexdigest()
                # The braces keep all keys of a budget on one node of a cluster.
                thread = _RedisThread(self._client, [f"{{{self._prefix}:{name}}}:{key}" for key in KEYS])
                budget = SharedBudget(name=_new_name, share=self._share, patience=self._timeout, kick=thread.kick)
                thread.serve(budget)
                self._budgets[base_url, credentials] = weakref.ref(budget)
            return budget

    def __reduce__(self) -> tuple[Any, ...]:
        if self._url is None:
            raise TypeError("a RedisBudget can be pickled if it was made by from_url")
        # Worker processes need working clients, so the pickle contains the URL, but never in clear text.
        return _unpickle, (self._url, self._prefix, self._share, self._timeout, self._is_cluster)

    def __repr__(self) -> str:
        return f"RedisBudget(prefix={self._prefix!r})"


class _RedisThread:
    """The thread that talks to Redis for one budget. It ends after a while without calls."""

    def __init__(self, client: _Client, keys: list[str]) -> None:
        self._client = client
        self._keys = keys
        self._budget: weakref.ref[SharedBudget]
        self.forked()
        forks.reset_after_fork(self)

    def forked(self) -> None:
        """Start afresh in the child of a fork, where the thread doesn't exist."""
        self._kicks: SimpleQueue[None] = SimpleQueue()
        self._running = threading.Lock()

    def serve(self, budget: SharedBudget) -> None:
        """Serve a budget as long as it is referenced elsewhere."""
        self._budget = weakref.ref(budget)

    def kick(self) -> None:
        """Request a step soon. May be called from any thread at any point."""
        self._kicks.put(None)
        if not self._running.locked():
            # `Thread.start` would wait in a way that may lose an interrupt. At the end of the interpreter no thread
            # can be started.
            with suppress(RuntimeError):
                _thread.start_new_thread(self._run, (self._running,))

    def _run(self, running: threading.Lock) -> None:
        if not running.acquire(blocking=False):
            return  # another call has started one
        try:
            while self._step():
                pass
        finally:
            running.release()
        # A kick just before the release saw the lock held and started no thread.
        if not self._kicks.empty() and self._budget() is not None:
            self.kick()

    def _step(self) -> bool:
        """Wait until a step is due, and do it. Return False if the thread is no longer needed."""
        budget = self._budget()
        if budget is None:
            return False
        if budget.is_idle(time.monotonic()):
            self._ask(budget, bye=True)
            return False
        wait = budget.due(time.monotonic())
        if wait > 0:
            del budget  # the reference would keep it alive meanwhile
            self._sleep(min(wait, LOOK))
            return True
        self._ask(budget)
        return True

    def _sleep(self, seconds: float) -> None:
        try:
            self._kicks.get(timeout=seconds)
            while True:
                self._kicks.get_nowait()
        except Empty:
            pass

    def _ask(self, budget: SharedBudget, *, bye: bool = False) -> None:
        request = msgspec.json.encode(budget.request(time.monotonic(), bye=bye)).decode()
        try:
            meta, grants = self._call(request)
            budget.apply_reply(meta, grants, time.monotonic())
        except Exception as error:  # noqa: BLE001  # calls continue whatever is wrong with Redis
            budget.fail(f"{type(error).__name__}: {log(str(error))}", time.monotonic())

    def _call(self, request: str) -> Any:
        text, digest = script()
        try:
            return self._client.evalsha(digest, len(self._keys), *self._keys, request)
        except Exception as error:
            if type(error).__name__ != "NoScriptError":
                raise
        # The scripts were flushed, or this is another server. `eval` caches the script there.
        return self._client.eval(text, len(self._keys), *self._keys, request)


@cache
def script() -> tuple[str, str]:
    """Return the script and its SHA-1, by which Redis knows it."""
    text = files("scapi._ratelimit").joinpath("shared.lua").read_text(encoding="utf-8")
    return text, sha1(text.encode(), usedforsecurity=False).hexdigest()


def _new_name() -> str:
    return os.urandom(8).hex()


def _unpickle(url: Secret, prefix: str, share: float | None, timeout: float, cluster: bool) -> RedisBudget:
    return RedisBudget.from_url(url, prefix=prefix, share=share, timeout=timeout, cluster=cluster)
