"""The open questions of docs/api-quirks.md, and the calls that settle them. Pure."""

from __future__ import annotations

import msgspec

__all__ = ["QUESTIONS", "Question"]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """An open question about the API.

    Attributes:
        number: Its number in docs/api-quirks.md.
        question: The question.
        calls: The names of the calls that settle it, as in `endpoint_calls.CALLS`; `hosts` for the call to each host.
        by_hand: What a person has to do; empty if the calls are enough.
    """

    number: int
    question: str
    calls: tuple[str, ...] = ()
    by_hand: str = ""


IN_THE_GAME = "compare the values with the piece in the game"

QUESTIONS = (
    Question(
        number=1,
        question="Do the hosts under the game's old name (stalcraft.net) still serve the API, and until when?",
        calls=("hosts",),
    ),
    Question(
        number=2,
        question="What is the longest page of each endpoint, and what does the server do with a larger limit?",
        calls=("lots", "clans", "operations", "too many lots", "too many clans", "too many operations"),
    ),
    Question(
        number=3,
        question="How many points do clans, profiles, characters, friends and operations cost?",
        calls=("clans", "operations", "clan", "profile", "characters", "friends", "members"),
    ),
    Question(
        number=4,
        question="What do the bodies of 400, 401, 403 and 404 look like?",
        calls=("bad item", "bad character", "foreign members"),
    ),
    Question(number=5, question="Are prices of lots spelled 100 or 100.0?", calls=("lots",)),
    Question(
        number=6,
        question="Are alliances called stalkers or stalker, bandits or bandit?",
        calls=("clans", "profile"),
    ),
    Question(
        number=7,
        question="Are the ranks of clans really misspelt, as SOLIDER and SERGANT?",
        calls=("profile", "characters", "members"),
    ),
    Question(
        number=8,
        question="What is the value of a statistic of the type SLIDING_MATCH_HISTORY?",
        calls=("profile",),
    ),
    Question(number=9, question="Does the region NEA exist?", calls=("regions",)),
    Question(number=10, question="When does additional name the buyer?", calls=("lots", "history")),
    Question(
        number=11,
        question="What do upgrade_bonus, ls_rc_* and compens_* in additional mean?",
        calls=("lots", "history"),
        by_hand=IN_THE_GAME,
    ),
    Question(number=12, question="Is there a quality with the number 6?", calls=("lots", "history")),
    Question(
        number=13,
        question="Do all tokens of users of one application share one budget, and how large is it?",
        calls=("emission",),
        by_hand="run it again at once with another user's token, and compare the points that are left",
    ),
    Question(
        number=14,
        question="Are the fields of operations complete and correctly spelled?",
        calls=("operations",),
    ),
    Question(
        number=15,
        question="If two sales in one response are equal in every field, are they two sales, or one sent twice?",
        calls=("history", "history again"),
        by_hand="sell two equal stacks at once, and count",
    ),
    Question(number=16, question="Does a response 400 cost 4 points?", calls=("bad item",)),
    Question(
        number=17,
        question="Does upper and lower case matter in the name of a character?",
        calls=("profile in other case",),
    ),
    Question(
        number=18,
        question="Why does the server answer lots with 400 if many items are requested for hours?",
        by_hand="collect many items for a day, and look at scapi market health",
    ),
    Question(
        number=19,
        question="Do ndmg, md_k, stats_random and it_transf_count in additional mean what players say?",
        calls=("lots", "history"),
        by_hand=IN_THE_GAME,
    ),
    Question(
        number=20,
        question="What does the game call clan ranks, and the map shock_therapy?",
        by_hand="look in the game",
    ),
    Question(
        number=21,
        question="Which responses come from a cache, with more points left than there are?",
        calls=("emission", "history again", "emission again"),
    ),
)
