"""The endpoints of one clan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapi._api import requests
from scapi._api.model_or_json import JsonT_co, ModelOrJson, model_or_json
from scapi._primitives import aio

if TYPE_CHECKING:
    from scapi._async.session import Session
    from scapi.enums import RegionLike
    from scapi.models import (
        ClanInfo,
        ClanMember,
    )


class ClanEndpoint(ModelOrJson[JsonT_co]):
    """One clan of a region.

    Source: https://eapi.stalzone.com/reference
    """

    __module__ = aio.PUBLIC

    def __init__(self, session: Session, clan_id: str, region: RegionLike | None) -> None:
        requests.clan_part(clan_id)
        self.clan_id = clan_id
        self._session = session
        self._region = region

    if not TYPE_CHECKING:  # otherwise type checkers would accept any attribute

        def __getattr__(self, name: str) -> Any:
            hint = ": only that of a UserClient has it" if name == "members" else ""
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}", name=name, obj=self)

    @model_or_json
    async def info(self, *, region: RegionLike | None = None) -> ClanInfo:
        """Get the public information about the clan.

        Args:
            region: The region; that of the endpoint, the client or `Config` by default.

        Raises:
            NotFoundError: There is no such clan.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        where = self._session.settings.region_for(region, self._region)
        return await self._session.call(requests.clan_info(where, self.clan_id))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.clan_id!r})"


class UserClanEndpoint(ClanEndpoint[JsonT_co]):
    """One clan of a region, seen by a user."""

    __module__ = aio.PUBLIC

    @model_or_json
    async def members(self, *, region: RegionLike | None = None) -> list[ClanMember]:
        """Get the members of a clan that one of the user's characters is in.

        Args:
            region: The region; that of the endpoint, the client or `Config` by default.

        Returns:
            The members; a row that can't be read is in the list's `rejected`.

        Raises:
            UnauthorizedError: None of the user's characters is in the clan.
            ScApiException: Any other failure, see `scapi.exceptions`.
        """
        where = self._session.settings.region_for(region, self._region)
        return await self._session.call(requests.clan_members(where, self.clan_id))
