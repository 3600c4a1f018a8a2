"""The point budget of the clients, and how to put another in its place, such as one shared between machines.

Clients pace themselves; most programs never import this. See the guide page on the limit.
"""

from scapi import _conflict  # noqa: F401  # raises where another package overwrote this one
from scapi._ratelimit.budget import Budget
from scapi._ratelimit.costs import KNOWN_COSTS
from scapi._ratelimit.protocol import BudgetState, Pacing, Ticket, Wait, Waiter
from scapi._ratelimit.registry import set_factory

__all__ = ["KNOWN_COSTS", "Budget", "BudgetState", "Pacing", "Ticket", "Wait", "Waiter", "set_factory"]
