"""The clients and their endpoints."""

from scapi._async.clients import AppClient, UserClient
from scapi._async.endpoints import AuctionEndpoint, ClanEndpoint, UserClanEndpoint

__all__ = ["AppClient", "AuctionEndpoint", "ClanEndpoint", "UserClanEndpoint", "UserClient"]
