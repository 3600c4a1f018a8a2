"""`GitHubClient`: access to the repository of the item database."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, overload

from scapi._api import decoding
from scapi._async.clock import Clock
from scapi._async.closable import Closable
from scapi._base import validation
from scapi._base.atomic import Draft, place
from scapi._base.secrets import Secret
from scapi._http import redirects
from scapi._http.credentials import Credentials
from scapi._http.guard import Guard
from scapi._http.messages import HttpRequest
from scapi._http.network import Network
from scapi._items import github
from scapi._items.database import REPOSITORY
from scapi._items.github import Repository
from scapi._primitives import aio
from scapi.exceptions import ClosedError
from scapi.models import RateLimit, RawFile

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Callable
    from pathlib import Path
    from typing import Literal

    import httpx

    from scapi._async.transport import Transport
    from scapi._http.messages import HttpResponse
    from scapi.models import Commit, ContentEntry, Diff


T = TypeVar("T")


class GitHubClient(Closable):
    """One branch of a repository on GitHub, by default of the official item database.

    Downloading files (`rawfile`) costs no quota and needs no token. Everything else uses GitHub's API, which allows an
    address 60 requests an hour without a token, and 5000 with one.

    Args:
        repository: The repository, as `owner/name`.
        branch: The branch that calls use by default.
        token: A GitHub token; it is sent only to the API.
        raw_url: The URL that files are downloaded from. By default `SCAPI_GITHUB_URL` from the environment, otherwise
            `https://raw.githubusercontent.com`.
        api_url: The URL of the API. By default `SCAPI_GITHUB_URL` from the environment, otherwise
            `https://api.github.com`.
        timeout: Seconds that a request may take in total, or that may pass between two parts of an archive; 30 by
            default.
        http_client: Your own `httpx.AsyncClient`, or one of `httpx2`, to send requests with. It is used unchanged and
            never closed.
        proxy: The URL of an HTTP, HTTPS or SOCKS5 proxy, instead of the one that the environment names.
        verify: The certificates that TLS trusts: an `ssl.SSLContext`, or the path of a file or folder. By default
            those that `SSL_CERT_FILE` or `SSL_CERT_DIR` names, otherwise those of `certifi`.

    Raises:
        ValueError: An argument is out of range.

    Examples:
        ```python
        from scapi import GitHubClient

        async with GitHubClient() as github:
            commit = await github.latest_commit()
        ```
    """

    __module__ = aio.PUBLIC
    _clock = Clock()

    def __init__(
        self,
        *,
        repository: str = REPOSITORY,
        branch: str = "main",
        token: str | Secret | None = None,
        raw_url: str | None = None,
        api_url: str | None = None,
        timeout: float | None = None,
        http_client: httpx.AsyncClient | None = None,
        proxy: str | Secret | None = None,
        verify: ssl.SSLContext | str | bool | None = None,
    ) -> None:
        token, proxy = Secret.of(token), Secret.of(proxy)
        self._credentials = None if token is None else Credentials(token=token).check()
        self._network = Network(http_client, proxy, verify).check()
        self._repository = Repository.of(repository, branch, raw_url, api_url)
        self._timeout = None if timeout is None else validation.positive("timeout", timeout)
        self._ratelimit = RateLimit()
        self._transports: dict[str, Transport] = {}
        self._closed = False
        self._transport(self._repository.raw_url)

    @property
    def repository(self) -> str:
        """The repository, as `owner/name`."""
        return self._repository.name

    @property
    def branch(self) -> str:
        """The branch that calls use by default."""
        return self._repository.branch

    @property
    def ratelimit(self) -> RateLimit:
        """The hourly quota from the last response of the API; all fields are `None` before the first one."""
        return self._ratelimit

    async def latest_commit(self, *, ref: str | None = None) -> Commit:
        """Fetch the latest commit of the branch.

        Args:
            ref: Another branch, a tag or a commit.

        Raises:
            RateLimitError: The hourly quota is used up; `retry_after` is the time to wait.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        return await self._ask(self._repository.commit_url(ref), github.commit)

    async def diff(self, base: str, head: str | None = None) -> Diff:
        """Fetch the list of files that differ between two commits.

        Args:
            base: The commit to compare with: a branch, a tag or a commit.
            head: The commit to compare; the latest of the branch by default.

        Returns:
            The difference. If it is `truncated`, it has only the first 300 files, which is GitHub's limit.

        Raises:
            RateLimitError: The hourly quota is used up; `retry_after` is the time to wait.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        return await self._ask(self._repository.diff_url(base, head), github.diff)

    async def contents(self, path: str = "", *, ref: str | None = None) -> list[ContentEntry]:
        """List a folder.

        Args:
            path: The folder in the repository, the root by default. For the path of a file, the result is that file.
            ref: Another branch, a tag or a commit.

        Returns:
            The files and folders; GitHub returns only the first 1000.

        Raises:
            NotFoundError: The folder doesn't exist.
            RateLimitError: The hourly quota is used up; `retry_after` is the time to wait.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        return await self._ask(self._repository.contents_url(path, ref), github.contents)

    @overload
    async def rawfile(self, path: str, *, etag: None = None, ref: str | None = None) -> RawFile: ...
    @overload
    async def rawfile(self, path: str, *, etag: str | None, ref: str | None = None) -> RawFile | None: ...
    async def rawfile(self, path: str, *, etag: str | None = None, ref: str | None = None) -> RawFile | None:
        """Download a file. This costs no quota and needs no token. The content may be up to five minutes old.

        Args:
            path: The file in the repository, such as `ru/listing.json`.
            etag: The `etag` of the version that you have.
            ref: Another branch, a tag or a commit.

        Returns:
            The file, or `None` if `etag` is still its latest version.

        Raises:
            NotFoundError: The file doesn't exist.
            ValueError: The path is empty, or an argument contains characters that can't be sent.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        url = self._repository.file_url(path, ref)
        condition = {} if etag is None else {"If-None-Match": validation.header("etag", etag)}
        response = await self._send(HttpRequest(url, extra={"Accept": "*/*", **condition}, hidden=self._credentials))
        if response.status == 304:
            return None
        return RawFile(content=response.body, url=url, etag=github.etag(response))

    async def archive(
        self,
        destination: str | os.PathLike[str],
        *,
        format: Literal["tar.gz", "zip"] = "tar.gz",
        ref: str | None = None,
        progress: Callable[[int, int | None], object] | None = None,
    ) -> Path:
        """Download the whole repository as one archive file.

        The file is written part by part. It appears at, or replaces, `destination` only when it is complete.

        Args:
            destination: The file to create; a leading `~` is the home folder. Missing folders are created.
            format: The format of the archive.
            ref: Another branch, a tag or a commit.
            progress: Called after each part with the bytes so far and the total, `None` if GitHub doesn't send it.

        Returns:
            The path of the file.

        Raises:
            RateLimitError: The hourly quota is used up; `retry_after` is the time to wait.
            OSError: The file can't be written.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        http_request = self._to_api(self._repository.archive_url(format, ref))
        path = validation.path("destination", destination)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = Draft(place(path))
        done = 0

        async def take(chunk: bytes, total: int | None) -> None:
            nonlocal done
            try:
                await aio.to_thread(draft.write, chunk)
            except OSError as cause:
                raise _UnwritableError from cause
            done += len(chunk)
            if progress:
                progress(done, total)

        try:
            await self._send(http_request, take)
            await aio.to_thread(draft.publish)
        except _UnwritableError as error:
            raise error.__cause__ or error from None
        finally:
            draft.discard()
        return path

    def file_url(self, path: str) -> str:
        """Return the download URL of a file of the branch.

        Args:
            path: The file in the repository, such as `ru/listing.json`.
        """
        return self._repository.file_url(path)

    async def _ask(self, url: str, decode: Callable[[bytes], T]) -> T:
        """Send a request to the API and decode the response."""
        http_request = self._to_api(url)
        with Guard(http_request):
            return decoding.decoded(await self._send(http_request), decode, http_request)

    def _to_api(self, url: str) -> HttpRequest:
        return HttpRequest(url, self._credentials, extra=github.HEADERS)

    async def _send(self, http_request: HttpRequest, sink: aio.Sink | None = None) -> HttpResponse:
        """Send a request and follow redirects. Return the last response, or raise the documented error."""
        with Guard(http_request):
            response = await self._exchange(http_request, sink)
            for _ in range(redirects.MOST):
                further = github.redirected(response, http_request)
                if further is None:
                    break
                http_request = further
                response = await self._exchange(http_request, sink)
            return github.check(response, http_request, self._clock.wall())

    async def _exchange(self, http_request: HttpRequest, sink: aio.Sink | None) -> HttpResponse:
        response = await self._transport(http_request.url).send(http_request, sink)
        self._ratelimit = github.ratelimit(response.headers, self._ratelimit)
        return response

    def _transport(self, url: str) -> Transport:
        """Return the transport for a host: GitHub has one for files, one for its API and one for archives."""
        if self._closed:
            raise ClosedError("the client is closed")
        host = github.origin(url)
        if host not in self._transports:
            # Imported with the first client, because importing httpx takes longer than importing scapi.
            from scapi._async.transport import Transport

            transport = Transport(base_url=host, timeout=self._timeout, network=self._network, clock=self._clock)
            self._transports.setdefault(host, transport)
        return self._transports[host]

    async def close(self) -> None:
        """Cancel the calls in progress and close all connections. Your own `http_client` stays open."""
        self._closed = True
        for transport in list(self._transports.values()):
            await transport.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_repository"):
            # The constructor rejected an argument, and a traceback shows local variables.
            return "GitHubClient(...)"
        return f"GitHubClient(repository={self.repository!r}, branch={self.branch!r})"


def guard(client: GitHubClient, url: str) -> Guard:
    """Return a guard for work with a file that a client has downloaded."""
    return Guard(HttpRequest(url, hidden=client._credentials))  # pyright: ignore[reportPrivateUsage]  # the same module


class _UnwritableError(Exception):
    """Wraps an `OSError` of the local disk, so that it isn't taken for a network error."""
