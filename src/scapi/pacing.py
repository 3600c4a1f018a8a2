"""The point budget of the clients, and how to put another in its place, such as one shared between machines.

Clients pace themselves; most programs never import this. See the guide page on the limit.
"""

from scapi import _conflict  # noqa: F401  # raises where another package overwrote this one
from scapi._primitives.postgres_budget import PostgresBudget
from scapi._primitives.redis_budget import RedisBudget
from scapi._ratelimit.budget import Budget
from scapi._ratelimit.costs import KNOWN_COSTS
from scapi._ratelimit.protocol import BudgetSource, BudgetState, Pacing, Ticket, Wait, Waiter

__all__ = [
    "KNOWN_COSTS",
    "Budget",
    "BudgetSource",
    "BudgetState",
    "Pacing",
    "PostgresBudget",
    "RedisBudget",
    "Ticket",
    "Wait",
    "Waiter",
]
