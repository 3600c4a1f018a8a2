"""Replace what is personal or secret in responses, so that they can be published. Pure.

Everything is replaced unless a rule keeps it: texts that aren't words of the API, numbers that describe a player, and
times at which a player did something. Equal values get equal replacements, so the responses still fit together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from scapi import models
from scapi._base.json_types import is_array, is_object
from scapi.cli.doctor.endpoint_calls import HOST, ITEM, NOBODY
from scapi.enums import OperationsMap, Order, Region, SortAuction, SortOperations

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["Pseudonyms"]

WORD = re.compile(r"[A-Za-z][A-Za-z_]{1,30}")
ITEM_ID = re.compile(r"[0-9a-z]{3,8}")
STAT_ID = re.compile(r"[a-z][a-z0-9-]{1,40}")
REGION = re.compile(r"[A-Z][A-Z ]{1,30}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
FIELD = re.compile(r"[a-z][A-Za-z0-9_]{0,40}")

#: Texts that are kept under these keys if they look like this.
KEPT_TEXTS = {
    **dict.fromkeys(("itemId", "armorItemId", "primaryWeaponItemId", "secondaryWeaponItemId"), ITEM_ID),
    **dict.fromkeys(("alliance", "rank", "type", "map", "armorClass", "bonus_properties"), WORD),
}

#: Times and numbers of the auction and of emissions. They describe no player.
KEPT_TIMES = {"startTime", "endTime", "time", "currentStart", "previousStart", "previousEnd"}
KEPT_NUMBERS = {
    *("amount", "price", "startPrice", "buyoutPrice", "currentPrice", "qlt", "ptn", "upgrade_bonus", "stats_random"),
    *("ndmg", "md_k", "it_transf_count", "spawn_time", "ls_rc_start", "ls_rc_duration", "compens_2026_ptn"),
    "compens_2024_upgrade_attempts",
}
AUCTION = {"emission", "emission again", "lots", "history", "history again", "too many lots"}

#: Calls that should be refused. Of the text of a refusal these words are kept, and numbers as large as a limit.
REFUSED = {"bad item", "bad character", "too many lots", "too many clans", "too many operations", "foreign members"}
COMMON = """
a above access additional after all allowed an and any argument at authentication authorization authorized be
before below between both by cannot character characters clan clans corrupted denied details does empty entity
error exceeded exist exists expired fail failed false field for forbidden format found from greater header id
ids illegal in integer internal invalid is it item items least less limit limits list long lot lots malformed
many map maximum may member members method minimum missing more most must name negative no non not null number
numeric of offset once one only or order out page parameter parameters parse path permission permitted positive
present query range rate region request required resource server service size small sort string such than that
the this to token too true type unable unauthorized unavailable unexpected unknown unprocessable unsupported
upper user username valid value values was whole with wrong you your zero
"""
ENUMS = (OperationsMap, Order, Region, SortAuction, SortOperations)
SMALL = re.compile(r"-?[0-9]{1,3}")
#: The edges of a word.
PUNCTUATION = ".,:;!?()[]'\"<>="

#: Headers that are kept, if their values look like this. Of other `x-` headers only the name is kept.
COUNT = re.compile(r"[-0-9., ]{1,40}")
HEADERS = {
    **dict.fromkeys(("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after", "age"), COUNT),
    "content-type": re.compile(r"[a-z]+/[a-z.+-]+(; ?charset=[A-Za-z0-9-]{1,20})?"),
    "date": re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", re.ASCII),
    "cf-cache-status": re.compile(r"[A-Z]{1,20}"),
}


def _known_fields() -> set[str]:
    """Return the names of all fields that the models know."""
    kinds = (
        *(models.RegionInfo, models.EmissionState, models.AuctionLot, models.AuctionPrice, models.ClanInfo),
        *(models.ClanMember, models.ClanAffiliation, models.Character, models.CharacterInfo, models.CharacterProfile),
        *(models.Statistic, models.OperationSession, models.OperationParticipant),
    )
    names = {field.encode_name for kind in kinds for field in msgspec.structs.fields(kind)}
    return names | KEPT_NUMBERS | {"lots", "prices", "data", "sessions", "total", "totalClans", "title", "details"}


class Pseudonyms:
    """Replacements for names, ids and other texts. Equal texts get equal replacements, in all responses.

    Args:
        secrets: Credentials. A text that contains one is always replaced.
    """

    def __init__(self, secrets: Collection[str] = ()) -> None:
        self._secrets = [secret for secret in secrets if secret]
        self._known = _known_fields()
        # Refusals may list what is allowed, and repeat our own arguments.
        self._words = {*COMMON.split(), ITEM, NOBODY, *(value.lower() for kind in ENUMS for value in kind)}
        self._seen: dict[object, int] = {}

    def body(self, call: str, status: int, raw: Any) -> Any:
        """Return a decoded body with everything replaced that no rule keeps.

        Args:
            call: The name of the call.
            status: The status of the response.
            raw: The decoded body.
        """
        # Each host is asked for its regions.
        return self._replace(raw, "regions" if call.startswith(HOST) else call, status, ("",))

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers that matter. Their names must be in lower case."""
        kept = {name: headers[name] for name, form in HEADERS.items() if form.fullmatch(headers.get(name, ""))}
        names = [name for name in headers if name.startswith("x-") and FIELD.fullmatch(name.replace("-", ""))]
        return dict.fromkeys(names, "") | kept

    def _replace(self, value: Any, call: str, status: int, path: tuple[str, ...]) -> Any:
        if is_object(value):
            return {
                self._key(key, path): self._replace(inner, call, status, (*path, key)) for key, inner in value.items()
            }
        if is_array(value):
            return [self._replace(inner, call, status, path) for inner in value]
        if isinstance(value, str):
            return self._text(value, call, status, path)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._number(value, call, status, path)
        return value

    def _key(self, key: str, path: tuple[str, ...]) -> str:
        # Below an unknown field, keys may be names of players. A new field of a known record is worth knowing.
        below_known = path[-1] in self._known or path == ("",)
        is_field = key in self._known or (below_known and FIELD.fullmatch(key) and key not in self._seen)
        return key if is_field and not self._has_secret(key) else f"key-{self._number_of(key)}"

    def _text(self, text: str, call: str, status: int, path: tuple[str, ...]) -> str:
        if not text or self._is_kept(text, call, status, path):
            return text
        if status >= 400 and call in REFUSED:
            return " ".join(map(self._word, text.split()))
        if TIME.fullmatch(text):
            # The year and the spelling remain.
            return f"{text[:4]}-01-01T00:00:00" + re.sub("[0-9]", "0", text[19:])
        if UUID.fullmatch(text):
            return f"00000000-0000-4000-8000-{self._number_of(text):012}"
        return f"text-{self._number_of(text)}"

    def _is_kept(self, text: str, call: str, status: int, path: tuple[str, ...]) -> bool:
        key, above = path[-1], path[-2] if len(path) > 1 else ""
        if status >= 400:
            return False
        if key in KEPT_TIMES and call in AUCTION:
            return TIME.fullmatch(text) is not None
        if key in {"id", "name"} and call == "regions":
            return REGION.fullmatch(text) is not None
        form = STAT_ID if (above, key) == ("stats", "id") else KEPT_TEXTS.get(key)
        return form is not None and form.fullmatch(text) is not None and not self._has_secret(text)

    def _word(self, word: str) -> str:
        """Return a word of a refusal, or an ellipsis if it may be about a person."""
        bare = word.strip(PUNCTUATION)
        is_known = bare.lower() in self._words or SMALL.fullmatch(bare)
        return word if is_known or not bare else "…"

    def _number(self, number: float, call: str, status: int, path: tuple[str, ...]) -> float:
        key = path[-1]
        if key in {"total", "totalClans"} or (key in KEPT_NUMBERS and call in AUCTION):
            return number
        if status >= 400 and key == "status" and 100 <= number < 600:
            return number
        if key.lower().endswith("id") and isinstance(number, int):
            # As large as before: what is larger than 2 ** 53 doesn't fit a float.
            return self._number_of(number) + (10**18 if abs(number) > 2**53 else 0)
        # One digit tells what unit it has, and not whose it is.
        rounded = float(f"{number:.0e}")
        return int(rounded) if isinstance(number, int) else rounded

    def _number_of(self, original: object) -> int:
        return self._seen.setdefault(original, len(self._seen) + 1)

    def _has_secret(self, text: str) -> bool:
        return any(secret in text for secret in self._secrets)
