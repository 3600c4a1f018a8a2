"""What the doctor would call, without calling it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from scapi.cli.doctor.endpoint_calls import CALLS
from scapi.cli.doctor.questions import QUESTIONS

if TYPE_CHECKING:
    from scapi.cli.doctor.endpoint_calls import Call

__all__ = ["Step", "calls", "points", "steps"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """An open question, and how to settle it.

    Attributes:
        number: Its number in docs/api-quirks.md.
        question: The question.
        calls: The names of the calls that settle it, as in the report.
        requests: The requests that they send.
        points: What these probably cost together; `None` if there are none.
        by_hand: What a person has to do; empty if the calls are enough.
    """

    number: int
    question: str
    calls: list[str]
    requests: list[str]
    points: int | None
    by_hand: str


#: What stands for the calls to the regions of every host. They cost nothing.
HOSTS = "/regions of each host"


def calls() -> tuple[Call, ...]:
    """Return all calls that cost points or a request."""
    return CALLS


def points() -> int:
    """Return what all calls together probably cost."""
    return sum(call.points for call in CALLS)


def steps() -> list[Step]:
    """Return a step for each question."""
    known = {call.name: call for call in CALLS}
    found: list[Step] = []
    for question in QUESTIONS:
        made = [known[name] for name in question.calls if name in known]
        targets = [HOSTS] if "hosts" in question.calls else [call.target for call in made]
        found.append(
            Step(
                number=question.number,
                question=question.question,
                calls=list(question.calls),
                requests=list(dict.fromkeys(targets)),
                points=sum(call.points for call in made) if question.calls else None,
                by_hand=question.by_hand,
            )
        )
    return found
