"""The clients and their endpoints."""

from scapi._async.clients import AppClient, UserClient
from scapi._async.endpoints import AuctionEndpoint, ClanEndpoint, UserClanEndpoint
from scapi._async.oauth import OAuthClient

__all__ = ["AppClient", "AuctionEndpoint", "ClanEndpoint", "OAuthClient", "UserClanEndpoint", "UserClient"]
