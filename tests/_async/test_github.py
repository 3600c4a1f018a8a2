from __future__ import annotations

import errno
import io
import os
import tarfile
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from scapi._async import github as module
from scapi._async.github import GitHubClient
from scapi.config import Config
from scapi.exceptions import (
    ClosedError,
    CredentialsError,
    DecodeError,
    ForbiddenError,
    NotFoundError,
    RateLimitError,
    RequestError,
    RequestTimeoutError,
    TransportError,
    UnauthorizedError,
)
from scapi.testing import FakeApi
from tests._async.fake_clock import FakeClock, with_clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

LISTING = "ru/listing.json"


def github(fake: FakeApi, **options: Any) -> GitHubClient:
    return GitHubClient(http_client=httpx.AsyncClient(transport=fake.transport()), **options)


def answering(answer: Callable[[httpx.Request], httpx.Response], **options: Any) -> GitHubClient:
    return GitHubClient(http_client=httpx.AsyncClient(transport=httpx.MockTransport(answer)), **options)


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


# ── what it tells ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_latest_commit() -> None:
    fake = FakeApi()
    client = github(fake)
    first = await client.latest_commit()
    assert (len(first.sha), first.message, first.date) == (40, "Initial commit", fake.now)
    fake.advance(60)
    sha = fake.github.push_commit({LISTING: []}, "Empty the listing")
    latest = await client.latest_commit()
    assert (latest.sha, latest.message, latest.date) == (sha, "Empty the listing", fake.now)
    assert latest.url.endswith(sha)
    assert await client.latest_commit(ref=first.sha) == first


async def test_the_difference_of_two_commits() -> None:
    fake = FakeApi()
    client = github(fake)
    base = (await client.latest_commit()).sha
    fake.github.push_commit({LISTING: [], "new.txt": b"new", "ru/stats.json": None})
    diff = await client.diff(base)
    assert (diff.status, diff.ahead_by, diff.truncated) == ("ahead", 1, False)
    assert {file.filename: file.status for file in diff.files} == {
        LISTING: "modified",
        "new.txt": "added",
        "ru/stats.json": "removed",
    }
    back = await client.diff("main", base)
    assert (back.status, back.behind_by, back.files) == ("behind", 1, [])
    assert (await client.diff(base, base)).status == "identical"


async def test_a_difference_of_more_files_than_github_names_says_so() -> None:
    fake = FakeApi()
    base = (await github(fake).latest_commit()).sha
    fake.github.push_commit({f"{number}.txt": b"" for number in range(301)})
    diff = await github(fake).diff(base)
    assert (len(diff.files), diff.truncated) == (300, True)


async def test_what_is_in_a_folder() -> None:
    fake = FakeApi()
    client = github(fake)
    assert [(entry.name, entry.type) for entry in await client.contents()] == [("global", "dir"), ("ru", "dir")]
    inside = {entry.path: entry for entry in await client.contents("/ru/")}
    assert inside["ru/items"].type == "dir"
    assert inside[LISTING].size == len(fake.github.files[LISTING])
    assert await client.contents(LISTING) == [inside[LISTING]]
    with pytest.raises(NotFoundError, match="404 Not Found"):
        await client.contents("nowhere")


async def test_a_file_and_whether_it_is_still_the_latest() -> None:
    fake = FakeApi()
    client = github(fake)
    file = await client.rawfile(LISTING)
    assert file.content == fake.github.files[LISTING]
    assert (
        file.url
        == client.file_url(LISTING)
        == ("https://raw.githubusercontent.com/EXBO-Studio/stalzone-database/main/ru/listing.json")
    )
    assert await client.rawfile(LISTING, etag=file.etag) is None
    before = fake.github.push_commit({"other.txt": b"!"})
    fake.github.push_commit({LISTING: []})
    changed = await client.rawfile(LISTING, etag=file.etag)
    assert changed is not None
    assert changed.content == b"[]"
    assert (await client.rawfile(LISTING, ref=before)).content == file.content
    assert repr(changed) == f"RawFile({file.url!r}, 2 bytes, etag={changed.etag!r})"
    with pytest.raises(NotFoundError):
        await client.rawfile("ru/nothing.json")


async def test_paths_and_branches_may_have_any_characters() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path.decode())
        return httpx.Response(200, json=[])

    client = answering(answer, repository="a.b/c-d_e", branch="work/ё #1")
    await client.rawfile("x y/100 %?.json")
    await client.contents("é")
    assert seen == [
        "/a.b/c-d_e/work/%D1%91%20%231/x%20y/100%20%25%3F.json",
        "/repos/a.b/c-d_e/contents/%C3%A9?ref=work/%D1%91%20%231",
    ]
    for path in ("../secret", "a/./b", "", "a//b"):
        with pytest.raises(ValueError, match="path must be"):
            await client.rawfile(path)


# ── the limit ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_limit_is_visible_and_files_do_not_count() -> None:
    fake = FakeApi()
    client = with_clock(GitHubClient, FakeClock(fake))(http_client=httpx.AsyncClient(transport=fake.transport()))
    assert client.ratelimit.limit is None
    await client.rawfile(LISTING)
    assert client.ratelimit.limit is None
    await client.latest_commit()
    assert (client.ratelimit.limit, client.ratelimit.remaining) == (60, 59)
    assert client.ratelimit.reset == datetime(2026, 8, 19, 13, tzinfo=UTC)
    fake.github.spend(100)
    fake.advance(600)
    with pytest.raises(RateLimitError, match="403 API rate limit exceeded") as caught:
        await client.latest_commit()
    assert (caught.value.status, caught.value.retry_after) == (403, 3000)
    assert client.ratelimit.remaining == 0
    await client.rawfile(LISTING)
    fake.advance(3000)
    await client.latest_commit()
    assert client.ratelimit.remaining == 59


async def test_a_token_has_a_larger_limit_and_is_never_shown() -> None:
    fake = FakeApi()
    client = github(fake, token=fake.github.token)
    await client.latest_commit()
    assert client.ratelimit.limit == 5000
    assert fake.github.token not in repr(client)
    with pytest.raises(UnauthorizedError, match="Bad credentials"):
        await github(fake, token="wrong").latest_commit()
    with pytest.raises(CredentialsError):
        GitHubClient(token="two words\n")


@pytest.mark.parametrize(
    ("status", "headers", "error", "retry_after"),
    [
        (403, {"retry-after": "7"}, RateLimitError, 7),
        (429, {}, RateLimitError, 60),
        (429, {"x-ratelimit-reset": "999999999999999"}, RateLimitError, 60),
        (429, {"x-ratelimit-reset": "4102444000"}, RateLimitError, 86_400),
        (429, {"retry-after": "9" * 5000}, RateLimitError, 86_400),
        (403, {"x-ratelimit-remaining": "5"}, ForbiddenError, None),
        (304, {}, RequestError, None),
    ],
)
async def test_an_error_is_what_its_headers_say(
    status: int, headers: dict[str, str], error: type[RequestError], retry_after: float | None
) -> None:
    client = answering(lambda _: httpx.Response(status, headers=headers, json={"message": "No."}))
    with pytest.raises(error) as caught:
        await client.rawfile(LISTING)
    assert type(caught.value) is error
    assert getattr(caught.value, "retry_after", None) == retry_after


@pytest.mark.parametrize("status", [404, 429])
async def test_what_a_redirect_opens_the_door_with_is_in_no_error(status: int, tmp_path: Path) -> None:
    there = {"location": "https://archives.test/a?token=fr3sh"}
    replies = iter([httpx.Response(302, headers=there), httpx.Response(status)])
    client = answering(lambda _: next(replies), token="t0ken-of-mine")
    with pytest.raises(RequestError) as caught:
        await client.archive(tmp_path / "a.tar.gz")
    assert caught.value.url == "https://archives.test/a"
    assert "fr3sh" not in f"{caught.value} {vars(caught.value)}"


NINES = "9" * 5000

ODD: dict[str, tuple[str, str, str, tuple[int | None, int | None, int | None]]] = {
    "as usual": ("60", "50", "1787140800", (60, 50, 1787140800)),
    "below zero": ("60", "-3", "1787140800", (60, 0, 1787140800)),
    "a limit below zero": ("-60", "50", "1787140800", (60, 50, 1787140800)),
    "with a decimal point": ("60.0", "50.9", "1787140800.5", (60, 50, 1787140800)),
    "with spaces": (" 60 ", " 50", "1787140800 ", (60, 50, 1787140800)),
    "doubled": ("60, 60", "50, 40", "1787140800, 1787140800", (60, 40, 1787140800)),
    "half of them readable": ("60, ?", "50, ?", "1787140800", (60, 55, 1787140800)),
    "of 5,000 digits": (NINES, NINES, NINES, (60, 55, 1787140800)),
    "in milliseconds": ("60", "50", "1787140800000", (60, 50, 1787140800)),
    "in the year 33658": ("60", "50", "999999999999999", (60, 50, 1787140800)),
    "in the past": ("60", "50", "0", (60, 50, 1787140800)),
    "in other digits": ("٦٠", "٥٠", "١", (60, 55, 1787140800)),
    "words": ("many", "enough", "soon", (60, 55, 1787140800)),
    "of a cache": ("60", "59", "1787140800", (60, 55, 1787140800)),
    "of the next hour": ("60", "59", "1787144400", (60, 59, 1787144400)),
}


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("status", [200, 403, 404])
async def test_odd_headers_neither_raise_nor_tell_of_more_than_is_left(what: str, status: int) -> None:
    *told, expected = ODD[what]
    replies = iter([(200, ["60", "55", "1787140800"]), (status, told)])

    def answer(_: httpx.Request) -> httpx.Response:
        status, values = next(replies)
        names = ("limit", "remaining", "reset")
        headers = {f"x-ratelimit-{name}": value.encode() for name, value in zip(names, values, strict=True)}
        return httpx.Response(status, headers=[(name.encode(), value) for name, value in headers.items()], json=[])

    client = answering(answer)
    assert await client.contents() == []
    with suppress(RequestError):
        await client.contents()
    reset = client.ratelimit.reset
    assert (client.ratelimit.limit, client.ratelimit.remaining, reset and reset.timestamp() // 1) == expected


async def test_an_answer_that_is_something_else_is_a_decode_error() -> None:
    client = answering(lambda _: httpx.Response(200, json={"sha": 5}))
    with pytest.raises(DecodeError):
        await client.latest_commit()
    with pytest.raises(DecodeError):
        await client.contents()


# ── redirects ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_token_stays_on_the_host_that_it_is_for() -> None:
    seen: dict[str, str | None] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        seen[f"{request.url.host}{request.url.path}"] = request.headers.get("authorization")
        if request.url.path.startswith("/repos/"):
            return httpx.Response(301, headers={"location": "https://api.github.com/repositories/1"})
        if request.url.path == "/repositories/1":
            return httpx.Response(302, headers={"location": "https://codeload.github.com/packed"})
        return httpx.Response(200, json=[])

    client = answering(answer, token="secret")
    assert await client.contents() == []
    await client.rawfile("a")
    assert list(seen.values()) == ["Bearer secret", "Bearer secret", None, None]


@pytest.mark.parametrize("location", ["http://elsewhere.example/", "/repos/again", "https://["])
async def test_a_redirect_that_leads_to_plain_http_or_nowhere_is_an_error(location: str) -> None:
    client = answering(lambda _: httpx.Response(302, headers={"location": location}))
    with pytest.raises(RequestError, match="302"):
        await client.latest_commit()


# ── archives ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("over", ["socket", "client"])
async def test_an_archive_is_streamed_to_a_file(tmp_path: Path, over: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeApi()
    steps: list[tuple[int, int | None]] = []
    place = tmp_path / "deep" / "database.tar.gz"
    # It isn't held in memory, so the limit of what is doesn't count.
    monkeypatch.setattr(Config, "MAX_BODY", 4096)
    with fake.serve() as url:
        client = GitHubClient(raw_url=url, api_url=url) if over == "socket" else github(fake)
        async with client:
            made = await client.archive(str(place), progress=lambda done, total: steps.append((done, total)))
    monkeypatch.undo()
    assert made == place
    assert files_in(place.parent) == [place.name]
    assert steps[-1] == (place.stat().st_size,) * 2
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    with tarfile.open(place) as tar:
        (listing,) = (name for name in tar.getnames() if name.endswith(LISTING))
        assert tar.extractfile(listing).read() == fake.github.files[LISTING]  # type: ignore[union-attr]  # it's a file
    assert place.stat().st_mode & 0o777 == 0o666 & ~_umask()


async def test_an_archive_of_an_older_commit_as_zip(tmp_path: Path) -> None:
    fake = FakeApi()
    client = github(fake)
    first = (await client.latest_commit()).sha
    before = fake.github.files[LISTING]
    fake.github.push_commit({LISTING: []})
    made = await client.archive(tmp_path / "a.zip", format="zip", ref=first)
    with zipfile.ZipFile(io.BytesIO(made.read_bytes())) as archive:
        (listing,) = (name for name in archive.namelist() if name.endswith(LISTING))
        assert archive.read(listing) == before


@pytest.mark.parametrize("fault", ["cut", "status", "reset"])
async def test_an_archive_that_breaks_off_leaves_what_was_there(tmp_path: Path, fault: str) -> None:
    fake = FakeApi()
    place = tmp_path / "a.tar.gz"
    place.write_bytes(b"good")
    fake.fail("*/packed/*", fault)  # type: ignore[arg-type]  # parametrized
    with pytest.raises((TransportError, RequestError)):
        await github(fake).archive(place)
    assert files_in(tmp_path) == ["a.tar.gz"]
    assert place.read_bytes() == b"good"


async def test_a_place_that_cannot_be_written_is_no_network_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = github(FakeApi())
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        await client.archive(tmp_path / "file" / "a.tar.gz")

    class Full(module.Draft):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            self.write = self.refuse

        def refuse(self, chunk: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "Draft", Full)
    with pytest.raises(OSError, match="No space left") as caught:
        await client.archive(tmp_path / "a.tar.gz")
    assert not isinstance(caught.value, TransportError)
    assert files_in(tmp_path) == ["file"]


async def test_a_failing_progress_ends_the_download(tmp_path: Path) -> None:
    def progress(done: int, total: int | None) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        await github(FakeApi()).archive(tmp_path / "a.tar.gz", progress=progress)
    assert files_in(tmp_path) == []


async def test_a_stream_in_which_nothing_arrives_ends(tmp_path: Path) -> None:
    fake = FakeApi()
    fake.fail("*/packed/*", "delay", delay=60)
    with fake.serve() as url:
        async with GitHubClient(api_url=url, raw_url=url, timeout=0.2) as client:
            with pytest.raises(RequestTimeoutError):
                await client.archive(tmp_path / "a.tar.gz")


# ── the client itself ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"repository": "stalzone-database"}, "repository must be like 'owner/name', not 'stalzone-database'"),
        ({"repository": "a/.."}, "repository must be like 'owner/name'"),
        ({"branch": " "}, "branch must be a non-empty string"),
        ({"raw_url": "raw.githubusercontent.com"}, "raw_url must be"),
        ({"api_url": "https://a:b@c"}, "api_url must be"),
        ({"timeout": 0}, "timeout must be a number of seconds above 0, not 0"),
    ],
)
async def test_a_wrong_option_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GitHubClient(**options)


async def test_a_wrong_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"format must be 'tar\.gz' or 'zip', not 'rar'"):
        await GitHubClient().archive(tmp_path / "a", format="rar")  # type: ignore[arg-type]  # what the test is about
    assert files_in(tmp_path) == []


async def test_a_closed_client_says_so() -> None:
    client = GitHubClient(repository="a/b")
    await client.close()
    with pytest.raises(ClosedError, match="the client is closed"):
        await client.latest_commit()
    assert repr(client) == "GitHubClient(repository='a/b', branch='main')"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
