"""Commits, files and differences of a GitHub repository."""

from __future__ import annotations

from scapi.models._base import Record, Time  # msgspec reads annotations at run time

__all__ = ["ChangedFile", "Commit", "ContentEntry", "Diff", "RawFile"]

#: How many changed files GitHub lists at most.
MOST_FILES = 300


class Commit(Record, frozen=True, kw_only=True):
    """One commit.

    Attributes:
        sha: Its id, 40 hexadecimal digits.
        message: What its author wrote about it.
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
        status: How the second commit stands to the first: `ahead`, `behind`, `diverged` or `identical`.
        ahead_by: Commits that only the second has.
        behind_by: Commits that only the first has.
        files: The files that differ; GitHub names 300 at most.
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
        size: Bytes of a file, 0 for a folder.
        sha: The id of its content; it changes with every change of it.
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
        etag: What the server calls this version, to ask later whether there is a newer one.
    """

    content: bytes
    url: str
    etag: str | None = None

    def __repr__(self) -> str:
        return f"RawFile({self.url!r}, {len(self.content)} bytes, etag={self.etag!r})"
