"""The parts of GitHub that the item database needs: files with ETags, the API, the rate limit."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1, sha256
from threading import RLock
from typing import Any, NamedTuple

import msgspec

from scapi.testing import _database
from scapi.testing._http import Reply, json_reply, with_headers
from scapi.testing._ratelimit import Budget, Window

REPOSITORY = "EXBO-Studio/stalzone-database"
BRANCH = "main"

HOUR_MS = 3_600_000
MOST_CHANGED = 300

Files = Mapping[str, bytes]


class GitHubRequest(NamedTuple):
    """The parts of a request that GitHub needs."""

    method: str
    parts: list[str]
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Commit:
    """A commit, with all files."""

    sha: str
    message: str
    date: str
    files: Files


class _RefusedError(Exception):
    """A request that GitHub's API answers with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class GitHubServer:
    """The item database's repository on GitHub: files at `/EXBO-Studio/stalzone-database/main`, API at `/repos`.

    Attributes:
        token: A token that GitHub accepts. Settable.
    """

    def __init__(self, seed: int, items: Mapping[str, str], now: Callable[[], float]) -> None:
        """Start with one commit.

        Args:
            seed: The seed of the files.
            items: Categories by item id.
            now: Returns the time in seconds since the epoch.
        """
        self.token = "fake-github-token"
        self._now = now
        self._make: Callable[[], Files] = lambda: _database.files(seed, items)
        self._commits: list[_Commit] = []
        self._guests = Budget(60, Window(HOUR_MS, 0))
        self._users = Budget(5000, Window(HOUR_MS, 0))
        self._lock = RLock()

    # ── settings for tests ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def files(self) -> Files:
        """The files of the latest commit by path."""
        return self._latest().files

    def push_commit(self, changes: Mapping[str, object], message: str = "Update") -> str:
        """Make a commit.

        Args:
            changes: New content by path: bytes as they are, any other value as JSON, None to remove the file.
            message: The commit message.

        Returns:
            The sha of the commit.

        Raises:
            ValueError: If a file to remove doesn't exist.
        """
        with self._lock:
            files = dict(self.files)
            for path, value in changes.items():
                if value is not None:
                    files[path] = value if isinstance(value, bytes) else _database.dump(value)
                elif files.pop(path, None) is None:
                    raise ValueError(f"changes: there is no file {path!r} to remove")
            return self._commit(files, message)

    def edit_item(self, item_id: str, **names: str) -> str:
        """Rename an item, in both realms and in all files that have it.

        Args:
            item_id: The item.
            **names: Names by language, such as `en="AK-105M"`; names in other languages stay.

        Returns:
            The sha of the commit.

        Raises:
            ValueError: If the item is unknown.
        """
        with self._lock:
            changes: dict[str, object] = {}
            for path, content in self.files.items():
                if path.endswith("/listing.json"):
                    changes[path] = [_renamed(row, item_id, names) for row in msgspec.json.decode(content)]
                elif (f"/{item_id}." in path and path.endswith(".json")) or f"/{item_id}/" in path:
                    changes[path] = {**(card := msgspec.json.decode(content)), "name": _with(card["name"], names)}
            if not any(f"/{item_id}." in path for path in changes):
                raise ValueError(f"item_id {item_id!r} is unknown")
            return self.push_commit(changes, f"Rename {item_id}")

    def spend(self, requests: int) -> int:
        """Use up requests, as another program with the same address would. Return how many are left in this hour.

        Args:
            requests: How many, 0 or more; more than are left uses up all.
        """
        with self._lock:
            left = self._guests.remaining(self._now_ms())
            self._guests.spend(min(requests, left), self._now_ms())
            return self._guests.remaining(self._now_ms())

    # ── how a request is answered ─────────────────────────────────────────────────────────────────────────────────────

    def answer(self, asked: GitHubRequest) -> Reply | None:
        """Return the response to a request, None if it isn't for GitHub."""
        with self._lock:
            match asked.parts[1:]:
                case ["repos", owner, name, *rest]:
                    return self._api(asked, f"{owner}/{name}", rest)
                case [owner, name, "packed", format, sha] if f"{owner}/{name}" == REPOSITORY:
                    return _packed(self._find(sha), format)
                case [owner, name, ref, *path] if f"{owner}/{name}" == REPOSITORY:
                    return self._raw(asked, ref, "/".join(path))
                case _:
                    return None

    def _raw(self, asked: GitHubRequest, ref: str, path: str) -> Reply:
        try:
            content = self._find(ref).files[path]
        except (KeyError, _RefusedError):
            return Reply(404, {"content-type": "text/plain; charset=utf-8"}, b"404: Not Found")
        etag = f'"{sha256(content).hexdigest()}"'
        headers = {"etag": etag, "cache-control": "max-age=300"}
        if etag in asked.headers.get("if-none-match", "").replace("W/", "").split(", "):
            return Reply(304, headers)
        kind = "image/png" if path.endswith(".png") else "text/plain; charset=utf-8"
        return Reply(200, {**headers, "content-type": kind}, content)

    def _api(self, asked: GitHubRequest, repository: str, rest: list[str]) -> Reply:
        budget, now = self._guests, self._now_ms()
        try:
            budget = self._budget_of(asked.headers.get("authorization", ""))
            if not budget.spend(1, now):
                raise _RefusedError(403, "API rate limit exceeded. Authenticated requests get a higher rate limit.")
            reply = self._endpoint(asked, repository, rest)
        except _RefusedError as refused:
            body = {"message": str(refused), "documentation_url": "https://docs.github.com/rest"}
            reply = json_reply({**body, "status": str(refused.status)}, refused.status)
        limits = budget.headers(now)
        # GitHub sends seconds; the game's API sends milliseconds.
        reset = str(int(limits["x-ratelimit-reset"]) // 1000)
        return with_headers(reply, {**limits, "x-ratelimit-reset": reset, "x-ratelimit-resource": "core"})

    def _budget_of(self, authorization: str) -> Budget:
        if not authorization:
            return self._guests
        if authorization.partition(" ")[2] != self.token:
            raise _RefusedError(401, "Bad credentials")
        return self._users

    def _endpoint(self, asked: GitHubRequest, repository: str, rest: list[str]) -> Reply:
        if repository != REPOSITORY or asked.method != "GET":
            raise _RefusedError(404, "Not Found")
        match rest:
            case ["commits", *ref]:
                return json_reply(_described(self._find("/".join(ref))))
            case ["compare", *between] if "..." in "/".join(between):
                base, _, head = "/".join(between).partition("...")
                return json_reply(self._compared(self._find(base), self._find(head)))
            case ["contents", *path]:
                return json_reply(_listed(self._find(asked.query.get("ref", BRANCH)).files, "/".join(path)))
            case ["tarball" | "zipball" as format, *ref]:
                sha = self._find("/".join(ref) or BRANCH).sha
                return Reply(302, {"location": f"/{REPOSITORY}/packed/{format}/{sha}"})
            case _:
                raise _RefusedError(404, "Not Found")

    def _compared(self, base: _Commit, head: _Commit) -> dict[str, Any]:
        ahead = self._commits.index(head) - self._commits.index(base)
        status = "identical" if not ahead else "ahead" if ahead > 0 else "behind"
        # GitHub compares the head with the common ancestor. If the head is behind, it is that ancestor itself.
        files = _changed(base.files, head.files)[:MOST_CHANGED] if ahead > 0 else []
        return {"status": status, "ahead_by": max(ahead, 0), "behind_by": max(-ahead, 0), "files": files}

    # ── commits ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _find(self, ref: str) -> _Commit:
        latest = self._latest()
        if ref in {BRANCH, "HEAD"}:
            return latest
        for commit in self._commits:
            if ref == commit.sha:
                return commit
        raise _RefusedError(404, f"No commit found for SHA: {ref}")

    def _latest(self) -> _Commit:
        with self._lock:
            # The files are made on first use, because most tests never need them.
            if not self._commits:
                self._commit(self._make(), "Initial commit")
            return self._commits[-1]

    def _commit(self, files: Files, message: str) -> str:
        date = datetime.fromtimestamp(int(self._now()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        sha = sha1(f"{len(self._commits)} {date} {message}".encode(), usedforsecurity=False).hexdigest()
        self._commits.append(_Commit(sha, message, date, files))
        return sha

    def _now_ms(self) -> int:
        return int(self._now() * 1000)


def _renamed(row: dict[str, Any], item_id: str, names: Mapping[str, str]) -> dict[str, Any]:
    return {**row, "name": _with(row["name"], names)} if row["data"].endswith(f"/{item_id}.json") else row


def _with(name: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {**name, "lines": {**name["lines"], **names}}


def _described(commit: _Commit) -> dict[str, Any]:
    signature = {"name": "EXBO", "email": "noreply@example.com", "date": commit.date}
    return {
        "sha": commit.sha,
        "html_url": f"https://github.com/{REPOSITORY}/commit/{commit.sha}",
        "commit": {"message": commit.message, "author": signature, "committer": signature},
    }


def _changed(base: Files, head: Files) -> list[dict[str, Any]]:
    return [
        {"filename": path, "status": status, "additions": 1, "deletions": 1, "changes": 2}
        for path in sorted(base.keys() | head.keys())
        if base.get(path) != head.get(path)
        for status in ["added" if path not in base else "modified" if path in head else "removed"]
    ]


def _listed(files: Files, place: str) -> object:
    if place in files:
        return _listing_entry(place, files[place])
    prefix = f"{place}/" if place else ""
    inside = {path: files[path] for path in files if path.startswith(prefix)}
    if not inside:
        raise _RefusedError(404, "Not Found")
    children = dict.fromkeys(prefix + path.removeprefix(prefix).partition("/")[0] for path in inside)
    return [_listing_entry(child, files.get(child)) for child in sorted(children)]


def _listing_entry(path: str, content: bytes | None) -> dict[str, Any]:
    sha = sha1(path.encode() if content is None else content, usedforsecurity=False).hexdigest()
    kind = "dir" if content is None else "file"
    return {"name": path.rpartition("/")[2], "path": path, "type": kind, "size": len(content or b""), "sha": sha}


def _packed(commit: _Commit, format: str) -> Reply:
    folder = f"{REPOSITORY.replace('/', '-')}-{commit.sha[:7]}"
    files = {f"{folder}/{path}": content for path, content in commit.files.items()}
    body = _tar(files) if format == "tarball" else _zip(files)
    kind = "application/x-gzip" if format == "tarball" else "application/zip"
    return Reply(200, {"content-type": kind}, body)


def _tar(files: Files) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), 1, mtime=0)


def _zip(files: Files) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    return packed.getvalue()
