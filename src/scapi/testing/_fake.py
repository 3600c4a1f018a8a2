"""`FakeApi`: the state of the fake, and how it answers a request."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import formatdate
from threading import RLock
from time import monotonic
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from scapi._base import validation
from scapi._base.extras import extra
from scapi.testing import _github, _oauth
from scapi.testing._asgi import ASGIApp, asgi_app
from scapi.testing._catalogue import ITEMS, REGIONS
from scapi.testing._faults import REPLACING, Fault, FaultKind, behind, in_front, new_fault
from scapi.testing._github import GitHubServer
from scapi.testing._http import RefusedError, Reply, error_reply, json_reply, packed, with_headers
from scapi.testing._oauth import OAuthServer
from scapi.testing._random import numbers_for, share
from scapi.testing._ratelimit import COSTS, Budget, Window
from scapi.testing._routes import Access, Call, Route, find, split_target
from scapi.testing._world import World

if TYPE_CHECKING:
    from scapi.testing._transport import FakeTransport

START = datetime(2026, 8, 19, 12, 0, tzinfo=UTC)
"""The time at which a fake begins by default."""

#: When the window of a real application was observed to begin, in milliseconds after the full minute.
PHASE_MS = 33_216

BAD_TOKEN = {"token": "Corrupted or illegal authorization token"}

REQUESTS_KEPT = 20_000

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that arrived. Its headers are not kept, because they contain credentials.

    Attributes:
        method: HTTP method.
        path: The decoded path.
        target: Path and query as they were sent.
        query: Decoded query parameters.
        status: Status of the response; 0 if the connection was reset instead.
        fault: The fault that it triggered, None if there was none.
    """

    method: str
    path: str
    target: str
    query: Mapping[str, str]
    status: int
    fault: FaultKind | None


@dataclass(frozen=True, slots=True)
class _Caller:
    """The owner of credentials, with the budget of points that their requests spend."""

    kind: Literal["app", "user"]
    budget: Budget = field(repr=False)


class FakeApi:
    """A fake of the STALCRAFT/STALZONE API on this machine, for tests of bots and for learning without a key.

    It has every endpoint of the API, with the API's paths, parameters, spelling, errors and rate limits. Its data
    depends only on the seed. Use it without a socket, from sync and async code, or over a real socket:

    ```python
    import httpx

    from scapi.sync import AppClient
    from scapi.testing import FakeApi

    fake = FakeApi()
    with httpx.Client(transport=fake.transport()) as http_client:
        AppClient(token=fake.app_token, http_client=http_client).emission()
    with fake.serve() as url, AppClient(token=fake.app_token, base_url=url) as client:
        client.emission()
    ```

    Its clock stands still until `advance` moves it, so nothing changes by itself. While the fake is served, the clock
    runs, unless you call `serve(run_clock=False)`. A client that waits for a rate limit needs a running clock. A
    shorter window makes it wait less: `FakeApi(window=2)`.

    Threads and tasks may share one fake.

    Attributes:
        app_token: A token of the application. Settable, as are the next three attributes.
        user_token: A token of a user with the character `YourCharacterName`.
        client_id: The application's id.
        client_secret: The application's secret.
        oauth: The OAuth server, at the path `/oauth`, and its settings for tests.
        github: The item database on GitHub, both its files and its API, and its settings for tests. Pass the fake's
            URL as `raw_url` and `api_url` of a `GitHubClient`.
    """

    #: The real time, for a clock that runs. Tests replace it in a subclass.
    _monotonic = staticmethod(monotonic)

    def __init__(
        self,
        *,
        seed: int = 0,
        now: datetime = START,
        clock: Callable[[], float] | None = None,
        limit: int = 400,
        user_limit: int = 50,
        window: float = 60.0,
        costs: Mapping[str, int] = MappingProxyType({}),
        reset_jitter: bool = False,
        stale_headers: float = 0.0,
        items: Mapping[str, str] | Iterable[str] = (),
        characters: Collection[str] = (),
        sales: Mapping[str, int] = MappingProxyType({}),
        stale: float = 1800.0,
        float_lots: bool = False,
        clamp_limit: bool = False,
        reorder: bool = False,
    ) -> None:
        """Create a fake.

        Args:
            seed: The seed of all data; the same seed gives the same data.
            now: The initial time of the clock (aware). Ignored with `clock`.
            clock: Returns the time in seconds since the epoch; `time.time` makes a running clock. The default, None,
                is a clock that only `advance` moves, and that runs while the fake is served.
            limit: Points per window for the application, 0 or more.
            user_limit: Points per window for a user's token, 0 or more.
            window: Length of a window in seconds, above 0, with millisecond precision.
            costs: Points per endpoint, and of a response 400 as `bad_request`, instead of those in `COSTS`.
            reset_jitter: Whether `x-ratelimit-reset` is off by up to 1 ms, as the API's is.
            stale_headers: Share (0 to 1) of emission responses that come from a cache: they have the rate-limit headers
                of an older response, in most cases of this window, which then repeat its reset with more points left.
            items: More item ids, with their category if it matters (`artefact/gravity`).
            characters: More characters; they exist in every region.
            sales: Number of sales, 0 or more, in the history of these items, which become known items too.
            stale: Seconds for which responses may still contain expired lots, 0 or more.
            float_lots: Whether prices of lots are spelled `100.0`, as prices in the history are.
            clamp_limit: Whether a `limit` above the maximum becomes the maximum, instead of a 400.
            reorder: Whether the order of the keys of lots and sales, and of the lists in their `additional`, changes
                with each response, as it does in the API.

        Raises:
            ValueError: If an argument is out of its range, or `now` is naive.
            TypeError: If `items` or `characters` is one string.
        """
        _at_least(0, limit=limit, user_limit=user_limit, stale=stale, stale_headers=stale_headers)
        _at_least(0, **{f"costs[{name!r}]": points for name, points in costs.items()})
        _at_least(0, **{f"sales[{item!r}]": count for item, count in sales.items()})
        _at_least(0.001, window=window)
        _check_rest(now, costs, stale_headers, items, characters)
        self.app_token = "fake-app-token"  # no secret: it opens only the fake
        self.user_token = "fake-user-token"  # no secret: it opens only the fake
        self.client_id = "fake-client-id"
        self.client_secret = "fake-client-secret"  # no secret: it opens only the fake
        self.oauth = OAuthServer(seed)
        self._seed = seed
        self._clock = clock or now.timestamp
        self._has_clock = clock is not None
        self._moved = 0.0
        self._window = Window(round(window * 1000), PHASE_MS)
        self._app = _Caller("app", Budget(limit, self._window))
        self._user = _Caller("user", Budget(user_limit, self._window))
        self._callers: dict[str, _Caller] = {}
        self._costs = {**COSTS, **costs}
        self._reset_jitter = reset_jitter
        self._stale_headers = stale_headers
        self._clamp_limit = clamp_limit
        self._reorder = reorder
        self._served = 0
        self._runs_since = 0.0
        self._count = 0
        self._faults: list[Fault] = []
        self._requests: deque[Seen] = deque(maxlen=REQUESTS_KEPT)
        # Handlers run in the server's thread while a test changes and reads the state.
        self._lock = RLock()
        self._world = World(
            seed=seed,
            start=int(self._clock()),
            items={**dict.fromkeys(sales, "misc"), **ITEMS, **_categories(items)},
            characters=characters,
            sales=sales,
            stale=int(stale),
            float_lots=float_lots,
        )
        self.github = GitHubServer(seed, self._world.items, self._now)

    def __repr__(self) -> str:
        """Show seed, time and number of requests; never a token."""
        return f"<FakeApi seed={self._seed} now={self.now.isoformat()} requests={self._count}>"

    # ── access ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def transport(self) -> FakeTransport:
        """Return a transport that sends requests for any host to this fake.

        It works with sync and async clients of `httpx` and `httpx2`. Faults become httpx's own errors. Nothing ever
        sleeps: a delay moves the clock, or raises `ReadTimeout` if it is longer than the client's timeout.
        """
        from scapi.testing._transport import FakeTransport  # httpx only where it is used

        return FakeTransport(self.handle, self.advance)

    def serve(self, *, port: int = 0, run_clock: bool = True) -> AbstractContextManager[str]:
        """Serve on 127.0.0.1 from a separate thread during the `with` block.

        The clock runs during the block. Otherwise a client that waits for points would wait forever.

        Args:
            port: TCP port; 0 picks a free one.
            run_clock: Whether the clock runs; with `False` it stands still until `advance` moves it.

        Returns:
            A context manager that yields the base URL, such as `http://127.0.0.1:40123`.

        Raises:
            ImportError: If uvicorn is missing.
            OSError: If the port is in use (raised on entering the block).
        """
        with extra("fake", "FakeApi.serve()"):
            from scapi.testing._server import serve  # it imports uvicorn
        return self._running(serve(self.asgi, port=port)) if run_clock else serve(self.asgi, port=port)

    @contextmanager
    def _running(self, server: AbstractContextManager[str]) -> Generator[str]:
        """Run the clock while there is at least one server. A `clock` argument is not affected."""
        with server as url:
            self._turn_clock(1)
            try:
                yield url
            finally:
                self._turn_clock(-1)

    def _turn_clock(self, servers: int) -> None:
        """Count a server that starts (1) or stops (-1). The clock starts with the first and stops with the last."""
        with self._lock:
            self._moved, self._runs_since = self._moved + self._run(), self._monotonic()
            self._served += servers

    @property
    def asgi(self) -> ASGIApp:
        """The fake as an ASGI application, for your own server.

        The faults `"cut"` and `"reset"` need access to the connection, which only `serve` gives. Under another server
        the application raises RuntimeError instead.
        """
        return asgi_app(self.handle)

    def handle(self, method: str, target: str, headers: Headers = (), body: bytes = b"") -> Reply:
        """Answer one request. Transport, server and ASGI application all call this.

        Args:
            method: HTTP method.
            target: Path and query as they are sent (percent-encoded).
            headers: Request headers, names in any case.
            body: Request body; only the OAuth server reads one.

        Returns:
            The response, and how the connection ends.
        """
        sent = {name.lower(): value for name, value in dict(headers).items()}
        parts, query = split_target(target)
        path = "/".join(parts)
        with self._lock:
            fault = self._next_fault(path)
            if fault is not None and fault.kind in REPLACING:
                reply = in_front(fault)
            else:
                reply = self._answer(method, parts, query, sent, body)
                reply = behind(fault, reply) if fault is not None else reply
            self._count += 1
            status = 0 if reply.ending == "reset" else reply.status
            kind = None if fault is None else fault.kind
            self._requests.append(Seen(method, path, target, MappingProxyType(query), status, kind))
            date = formatdate(self._now(), usegmt=True)
        # The reply's own headers win: a fault may have set a date.
        reply = replace(reply, headers={"date": date, **reply.headers})
        return packed(reply, sent.get("accept-encoding", ""))

    # ── settings for tests ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def now(self) -> datetime:
        """The fake's time (aware)."""
        return datetime.fromtimestamp(self._now(), UTC)

    def advance(self, seconds: float) -> None:
        """Move the clock forward: lots appear and expire, emissions start and end, points come back.

        Raises:
            ValueError: If `seconds` is negative or not finite.
        """
        _at_least(0, seconds=seconds)
        with self._lock:
            self._moved += seconds

    def fail(
        self,
        path: str,
        fault: FaultKind = "status",
        *,
        status: int | None = None,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
        times: int | None = None,
    ) -> None:
        """Switch on a fault. If several match a path, the one that was switched on first is used.

        Args:
            path: Glob pattern for the decoded path, ignoring case, such as `*/history`; `*` also matches slashes.
            fault: What goes wrong. These happen before the API, and no points are spent: `"status"` (an error in the
                API's own format, or `body`), `"html"` (a proxy's page), `"empty"` (no body), `"reset"` (the
                connection is reset before a response). These change the API's response: `"delay"`, `"headers"`
                (nothing but those), `"broken_json"` (the second half is missing), `"cut"` (the connection closes
                within the body).
            status: Status of `"status"` (503, or 200 with a `body`), `"html"` (502) or `"empty"` (200).
            body: Body of `"status"`, `"html"` or `"empty"`.
            headers: Headers that are added to the response or replace its own.
            delay: Seconds until the response begins, with any fault; `inf` means never.
            times: How many requests the fault applies to; None for all until `heal`.

        Raises:
            ValueError: If an argument is out of range or doesn't go with the fault.
        """
        new = new_fault(path, fault, status=status, body=body, headers=headers, delay=delay, times=times)
        with self._lock:
            self._faults.append(new)

    def heal(self) -> None:
        """Switch off all faults."""
        with self._lock:
            self._faults.clear()

    def add_token(self, token: str, *, kind: Literal["app", "user"] = "app", limit: int | None = None) -> None:
        """Accept another token, with its own budget.

        Args:
            token: The token. The budget of an existing token starts over.
            kind: Whether the token belongs to an application or a user.
            limit: Points per window, 0 or more; None for the usual limit of its kind.
        """
        usual = self._app if kind == "app" else self._user
        points = usual.budget.limit if limit is None else limit
        _at_least(0, limit=points)
        with self._lock:
            self._callers[token] = _Caller(kind, Budget(points, self._window))

    def spend(self, points: int, *, token: str | None = None) -> int:
        """Spend points, as another program with the same token would.

        Args:
            points: Points, 0 or more. 0 spends nothing; more than are left empties the budget.
            token: The token with the budget; None for the application's.

        Returns:
            The points that are left in this window.

        Raises:
            ValueError: If there is no such token, or `points` is negative.
        """
        _at_least(0, points=points)
        with self._lock:
            budget, now = self._budget_of(token), self._now_ms()
            budget.spend(min(points, budget.remaining(now)), now)
            return budget.remaining(now)

    def sell(
        self,
        item_id: str,
        n: int = 1,
        *,
        region: str = "ru",
        amount: int | None = None,
        price: float | None = None,
        additional: Mapping[str, Any] | None = None,
        time: datetime | str | None = None,
    ) -> None:
        """Add sales to an item's history, on top unless `time` is earlier than other sales.

        Args:
            item_id: The item.
            n: Number of sales, 1 or more.
            region: The region, in any case.
            amount: Pieces per sale; None for an amount that is usual for the item.
            price: Price per sale; None for about the usual price.
            additional: The `additional` of each sale; None for data that is usual for the item.
            time: Time of the sales (naive means UTC), to the second; the fake's now by default. Sales with an earlier
                time are late: the API puts them below newer ones.

        Raises:
            ValueError: If the item or the region is unknown, `n` is below 1, or `time` is in the future.
        """
        _at_least(1, n=n)
        made = self.now if time is None else validation.moment("time", time)
        if made > self.now:
            raise validation.refuse("time", time, f"no later than the fake's now, {self.now.isoformat()}")
        changes = _given(amount=amount, price=None if price is None else float(price), additional=additional)
        with self._lock:
            self._world.market.sell(self._region(region), self._item(item_id), n, int(made.timestamp()), changes)

    def list_lot(
        self,
        item_id: str,
        *,
        region: str = "ru",
        duration: float = 86_400.0,
        amount: int | None = None,
        start_price: int | None = None,
        current_price: int | None = None,
        buyout_price: int | None = None,
        additional: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Put up a lot that begins at the fake's now.

        Args:
            item_id: The item.
            region: The region, in any case.
            duration: Seconds until the lot ends.
            amount: Pieces. None, here and below, means a value that is usual for the item.
            start_price: The initial price for bids, 0 for a lot without bidding.
            current_price: The highest bid.
            buyout_price: The buyout price, 0 for a lot without a buyout.
            additional: The `additional` of the lot.

        Returns:
            The lot as the API returns it. Pass it to `remove_lot` to remove the lot.

        Raises:
            ValueError: If the item or the region is unknown.
        """
        changes = _given(
            amount=amount,
            startPrice=start_price,
            currentPrice=current_price,
            buyoutPrice=buyout_price,
            additional=additional,
        )
        place = self._region(region), self._item(item_id)
        with self._lock:
            row = self._world.market.list_lot(*place, int(self._now()), int(duration), changes)
        return cast("dict[str, Any]", msgspec.to_builtins(row))

    def remove_lot(self, lot: Mapping[str, Any], *, region: str = "ru") -> None:
        """Remove a lot, as if it had been bought.

        Args:
            lot: A lot as the API or `list_lot` returned it. If several lots are equal, one of them is removed.
            region: The region, in any case.

        Raises:
            ValueError: If there is no such lot now.
        """
        self._item(lot["itemId"])
        with self._lock:
            if not self._world.market.remove_lot(self._region(region), lot, int(self._now())):
                raise ValueError(f"there is no such lot: {dict(lot)!r}")

    def start_emission(self, *, region: str = "ru") -> None:
        """Start an emission now. From now on the region has only the emissions that you start."""
        with self._lock:
            self._world.emissions.start(self._region(region), int(self._now()))

    def end_emission(self, *, region: str = "ru") -> None:
        """End the running emission now. From now on the region has only the emissions that you start."""
        with self._lock:
            self._world.emissions.end(self._region(region), int(self._now()))

    @property
    def requests(self) -> list[Seen]:
        """The last 20,000 requests that arrived, oldest first."""
        with self._lock:
            return list(self._requests)

    # ── how a request is answered ─────────────────────────────────────────────────────────────────────────────────────

    def _answer(
        self, method: str, parts: list[str], query: dict[str, str], sent: Mapping[str, str], body: bytes
    ) -> Reply:
        if parts[1:2] == ["oauth"]:
            request = _oauth.OAuthRequest(method, parts[2:], query, sent, body, int(self._now()))
            return self.oauth.answer(request, application=(self.client_id, self.client_secret))
        if (reply := self.github.answer(_github.GitHubRequest(method, parts, query, sent))) is not None:
            return reply
        try:
            route, path = find(method, parts)
            if route.access == "open":
                return self._dispatch(route, path, query)
            caller = self._authenticate(sent, route.access)
        except RefusedError as refusal:
            return error_reply(refusal)
        now = self._now_ms()
        # A bad request costs points too, even more of them; a request over the limit costs none.
        cost = self._costs[route.endpoint]
        if caller.budget.spend(cost, now):
            reply = self._dispatch(route, path, query)
            if reply.status == 400:
                further = max(0, self._costs["bad_request"] - cost)
                caller.budget.spend(min(further, caller.budget.remaining(now)), now)
        else:
            reply = error_reply(RefusedError(429))
        return with_headers(reply, self._limit_headers(caller.budget, route, now))

    def _dispatch(self, route: Route, path: dict[str, str], query: dict[str, str]) -> Reply:
        turn = self._count if self._reorder else 0
        call = Call(self._world, int(self._now()), path, query, self._clamp_limit, turn)
        try:
            answer = route.handler(call)
        except RefusedError as refusal:
            return error_reply(refusal)
        return answer if isinstance(answer, Reply) else json_reply(answer)

    def _authenticate(self, sent: Mapping[str, str], access: Access) -> _Caller:
        scheme, _, token = sent.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            caller = self._caller(token.strip())
            if caller is None:
                raise RefusedError(401, **BAD_TOKEN)
        elif (sent.get("client-id"), sent.get("client-secret")) == (self.client_id, self.client_secret):
            caller = self._app
        else:
            raise RefusedError(401)
        if access == "user" and caller.kind != "user":
            raise RefusedError(401)
        return caller

    def _caller(self, token: str) -> _Caller | None:
        # Built for each request, because a test may set the token attributes.
        known = {self.app_token: self._app, self.user_token: self._user, **self._callers}
        issued = {"app": self._app, "user": self._user, None: None}
        return known.get(token) or issued[self.oauth.kind(token, int(self._now()))]

    def _limit_headers(self, budget: Budget, route: Route, now: int) -> dict[str, str]:
        numbers = numbers_for(self._seed, "headers", self._count)
        headers = budget.headers(now)
        if route.endpoint == "emission" and share(numbers[0]) < self._stale_headers:
            headers["x-ratelimit-remaining"] = str(max(0, budget.limit - 1))
            if numbers[2] % 4 == 0:
                headers["x-ratelimit-reset"] = str(self._window.end(now) - self._window.length)
        elif self._reset_jitter:
            headers["x-ratelimit-reset"] = str(self._window.end(now) + numbers[1] % 3 - 1)
        return headers

    def _next_fault(self, path: str) -> Fault | None:
        for fault in self._faults:
            if fault.strikes(path):
                fault.left = None if fault.left is None else fault.left - 1
                return replace(fault)
        return None

    # ── helpers ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _now(self) -> float:
        return self._clock() + self._moved + self._run()

    def _run(self) -> float:
        """Return the seconds that the clock has run since a server last started or stopped."""
        return self._monotonic() - self._runs_since if self._served and not self._has_clock else 0.0

    def _now_ms(self) -> int:
        return int(self._now() * 1000)

    def _budget_of(self, token: str | None) -> Budget:
        caller = self._app if token is None else self._caller(token)
        if caller is None:
            raise ValueError("token is unknown to this fake")
        return caller.budget

    def _region(self, region: str) -> str:
        if region.upper() not in REGIONS:
            raise ValueError(f"region must be one of {', '.join(REGIONS)}, not {region!r}")
        return region.upper()

    def _item(self, item_id: str) -> str:
        if item_id not in self._world.items:
            raise ValueError(f"item_id {item_id!r} is unknown; make it known with FakeApi(items=[{item_id!r}])")
        return item_id


def _at_least(low: float, **values: float) -> None:
    for name, value in values.items():
        if not low <= value < math.inf:
            raise ValueError(f"{name} must be {low} or more and finite, not {value!r}")


def _check_rest(
    now: datetime,
    costs: Mapping[str, int],
    stale_headers: float,
    items: Iterable[str],
    characters: Collection[str],
) -> None:
    if now.tzinfo is None:
        raise ValueError(f"now must be an aware datetime, not {now!r}")
    if unknown := set(costs) - set(COSTS):
        raise ValueError(f"costs takes {', '.join(COSTS)}, not {', '.join(sorted(unknown))}")
    if stale_headers > 1:
        raise ValueError(f"stale_headers must be a share from 0 to 1, not {stale_headers!r}")
    if isinstance(items, str) or isinstance(characters, str):
        raise TypeError("items and characters take several names, not one string")


def _categories(items: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    if isinstance(items, Mapping):
        return dict(cast("Mapping[str, str]", items))  # an Iterable[str] may be a mapping with values of any type
    return dict.fromkeys(items, "misc")


def _given(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
