"""Commits, files and differences of a GitHub repository."""

from __future__ import annotations

from scapi.models._base import Record, Time  # msgspec reads annotations at run time

__all__ = ["ChangedFile", "Commit", "ContentEntry", "Diff", "RawFile"]

#: The most changed files that GitHub lists.
MOST_FILES = 300


class Commit(Record, frozen=True, kw_only=True):
    """One commit.

    Attributes:
        sha: Its id, 40 hexadecimal digits.
        message: The commit message.
        date: When it was committed (aware).
        url: Its page on GitHub.
    """

    sha: str
    message: str
    date: Time
    url: str


class ChangedFile(Record, frozen=True, kw_only=True):
    """A file that differs between two commits.

    Attributes:
        filename: Its path in the repository.
        status: `added`, `removed`, `modified`, `renamed` and so on.
        additions: Lines added.
        deletions: Lines removed.
        previous_filename: Its path before it was renamed.
    """

    filename: str
    status: str
    additions: int = 0
    deletions: int = 0
    previous_filename: str | None = None


class Diff(Record, frozen=True, kw_only=True):
    """The difference between two commits.

    Attributes:
        status: Where the second commit is relative to the first: `ahead`, `behind`, `diverged` or `identical`.
        ahead_by: Commits that only the second has.
        behind_by: Commits that only the first has.
        files: The files that differ; GitHub lists at most 300.
    """

    status: str
    ahead_by: int
    behind_by: int
    files: list[ChangedFile] = []

    @property
    def truncated(self) -> bool:
        """Whether there may be more files than GitHub lists."""
        return len(self.files) >= MOST_FILES


class ContentEntry(Record, frozen=True, kw_only=True):
    """A file or a folder of a repository.

    Attributes:
        name: Its name.
        path: Its path in the repository.
        type: `file`, `dir`, `symlink` or `submodule`.
        size: The size of a file in bytes, 0 for a folder.
        sha: The id of its content, which changes with the content.
    """

    name: str
    path: str
    type: str
    size: int
    sha: str


class RawFile(Record, frozen=True, kw_only=True):
    """A file of a repository.

    Attributes:
        content: The file.
        url: Where it came from.
        etag: The server's identifier of this version, to check later whether there is a newer one.
    """

    content: bytes
    url: str
    etag: str | None = None

    def __repr__(self) -> str:
        return f"RawFile({self.url!r}, {len(self.content)} bytes, etag={self.etag!r})"
