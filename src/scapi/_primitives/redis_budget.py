"""A budget in Redis or Valkey for all processes and machines that use a key."""

from __future__ import annotations

import os
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol, Self

import msgspec

from scapi._base import forks, validation
from scapi._base.extras import extra
from scapi._base.secrets import Secret
from scapi._primitives.shared_budgets import SharedBudgets
from scapi._ratelimit.shared_messages import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi._primitives.shared_budgets import Steps
    from scapi._ratelimit.shared_messages import Grant, Reply

#: The Redis keys of one budget, after the prefix and the budget's name.
KEYS = ("state", "owners", "processes", "lines", "reserves", "askers")


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


class RedisClient(Protocol):
    """The methods used of a redis-py client."""

    def evalsha(self, sha: str, numkeys: int, *keys_and_args: str | bytes) -> Any: ...
    def eval(self, script: str, numkeys: int, *keys_and_args: str | bytes) -> Any: ...


class RedisBudget(SharedBudgets):
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

    _database = "Redis"

    def __init__(
        self, client: RedisClient, *, prefix: str = "scapi", share: float | None = None, timeout: float = 0.5
    ) -> None:
        super().__init__(prefix=prefix, share=share, timeout=timeout)
        self._connect = lambda: client
        self._url: Secret | None = None
        self._is_cluster = False

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
        kind: Any = redis.Redis  # redis-py types no options of `from_url`
        timeout = validation.positive("timeout", timeout)
        timeouts = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        try:
            # Calls don't wait for a second attempt: they continue without Redis. But a connection that Redis closed
            # meanwhile is replaced at once.
            retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
            client = kind.from_url(url.reveal(), **timeouts, retry=retry)
        except (ValueError, TypeError, AttributeError):
            raise ValueError(
                "url must be redis://host:port/db, rediss:// or unix://path, as redis-py takes it"
            ) from None
        made = cls(client, prefix=prefix, share=share, timeout=timeout)
        made._url, made._is_cluster = url, cluster
        if cluster:
            made._connect = cache(lambda: redis.RedisCluster.from_url(url.reveal(), **timeouts))
        else:
            # One connection for each budget: to take one out of a pool for each step would cost as much as to send it.
            made._connect = client.client
        return made

    def _steps(self, name: str) -> Steps:
        # The braces keep all keys of a budget on one node of a cluster.
        return _RedisSteps(self._connect, [f"{{{self._prefix}:{name}}}:{key}" for key in KEYS])

    def __reduce__(self) -> tuple[Any, ...]:
        if self._url is None:
            raise TypeError("a RedisBudget can be pickled if it was made by from_url")
        # Worker processes need working clients, so the pickle contains the URL, but never in clear text.
        return _unpickle, (self._url, self._prefix, self._share, self._timeout, self._is_cluster)


class _RedisSteps:
    """The steps of one budget: each is one call of the script.

    Args:
        connect: Returns a client. It may connect at once, and fail.
        keys: The keys of the budget.
    """

    def __init__(self, connect: Callable[[], RedisClient], keys: list[str]) -> None:
        self._connect = connect
        self._keys = keys
        self.forked()
        forks.reset_after_fork(self)

    def forked(self) -> None:
        """Start afresh in the child of a fork: the connection belongs to the parent."""
        self._client: RedisClient | None = None

    def take(self, request: dict[str, Any]) -> tuple[Reply, list[Grant]]:
        client = self._client
        if client is None:
            client = self._client = self._connect()
        encoded = msgspec.msgpack.encode(request)
        text, digest = script()
        try:
            return read(client.evalsha(digest, len(self._keys), *self._keys, encoded))
        except Exception as error:
            if type(error).__name__ != "NoScriptError":
                raise
            # The scripts were flushed, or this is another server. `eval` caches the script there.
            return read(client.eval(text, len(self._keys), *self._keys, encoded))

    def close(self) -> None:
        """Give up the connection. A client that was passed stays open: its owner and other budgets use it too."""
        self._client = None


@cache
def script() -> tuple[str, str]:
    """Return the script and its SHA-1, by which Redis knows it."""
    text = files("scapi._ratelimit").joinpath("shared.lua").read_text(encoding="utf-8")
    return text, sha1(text.encode(), usedforsecurity=False).hexdigest()


def _unpickle(url: Secret, prefix: str, share: float | None, timeout: float, cluster: bool) -> RedisBudget:
    return RedisBudget.from_url(url, prefix=prefix, share=share, timeout=timeout, cluster=cluster)
