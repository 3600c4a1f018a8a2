"""A fake of the API on this machine, for tests and for learning without a key."""

from scapi import _conflict  # noqa: F401  # raises where another package overwrote this one
from scapi.testing._fake import START, FakeApi, Seen
from scapi.testing._faults import FaultKind
from scapi.testing._github import GitHubServer
from scapi.testing._http import Reply
from scapi.testing._oauth import OAuthServer
from scapi.testing._ratelimit import COSTS

__all__ = ["COSTS", "START", "FakeApi", "FaultKind", "GitHubServer", "OAuthServer", "Reply", "Seen"]
