"""The API on this machine, to test your own program with and to learn without a key."""

from scapi import _conflict  # noqa: F401  # raises where another package overwrote this one
from scapi.testing._fake import START, FakeApi, Seen
from scapi.testing._faults import FaultKind
from scapi.testing._github import GitHubServer
from scapi.testing._http import Reply
from scapi.testing._oauth import OAuthServer
from scapi.testing._ratelimit import COSTS

__all__ = ["COSTS", "START", "FakeApi", "FaultKind", "GitHubServer", "OAuthServer", "Reply", "Seen"]
