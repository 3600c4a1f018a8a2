"""The costs of calls, known beforehand or measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


#: Known points per call. All other operations are measured, see `BudgetState.costs`.
KNOWN_COSTS: Mapping[str, int] = {"regions": 0, "emission": 1, "lots": 2, "price_history": 2, "profile": 2}

#: The likely value of an unknown cost, and the safe value that is reserved for it.
LIKELY_COST = 2
SAFE_COST = 10
MEASURING_ATTEMPTS = 3
SAMPLES = 5


def published_cost(operation: str) -> int | None:
    """Return the cost that is known before the first call of an operation; `None` if it has to be measured.

    The caller of `client.get` may give the cost: `get:3` costs 3 points.
    """
    name, _, cost = operation.partition(":")
    return int(cost) if name == "get" and cost else KNOWN_COSTS.get(operation)


class Costs:
    """Points per call by operation.

    The lowest of several samples counts: if others spend meanwhile, a sample is too high.
    """

    def __init__(self) -> None:
        # The lowest sample, and all samples.
        self._known: dict[str, tuple[int, tuple[int, ...]]] = {
            operation: (cost, (cost,)) for operation, cost in KNOWN_COSTS.items()
        }
        self._attempts: dict[str, int] = {}

    def get(self, operation: str, unknown: int = LIKELY_COST) -> int:
        """Return the cost of an operation, or `unknown`."""
        known = self._lookup(operation)
        return known[0] if known else unknown

    def _lookup(self, operation: str) -> tuple[int, tuple[int, ...]] | None:
        known = self._known.get(operation)
        if known is None and (cost := published_cost(operation)) is not None:
            return cost, (cost,)
        return known

    def copy(self) -> dict[str, int]:
        """Return all known costs by operation."""
        return {operation: least for operation, (least, _) in self._known.items()}

    def add_sample(self, operation: str, cost: int) -> None:
        """Add the measured cost of a call."""
        _, earlier = self._lookup(operation) or (cost, ())
        samples = (*earlier, cost)[-SAMPLES:]
        self._known[operation] = min(samples), samples

    def is_to_measure(self, operation: str) -> bool:
        """Return whether the next call of an operation should be sent alone, so that its cost shows."""
        return self._lookup(operation) is None and self._attempts.get(operation, 0) < MEASURING_ATTEMPTS

    def count_attempt(self, operation: str) -> None:
        """Count a call that was sent alone."""
        self._attempts[operation] = self._attempts.get(operation, 0) + 1

    def forget_attempts(self) -> None:
        """Reset the counts of `count_attempt`."""
        self._attempts = {}
