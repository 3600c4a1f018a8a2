"""The clients and their endpoints."""

from scapi._async.clan import ClanEndpoint, UserClanEndpoint
from scapi._async.clients import AppClient, UserClient
from scapi._async.endpoints import AuctionEndpoint
from scapi._async.oauth import OAuthClient

__all__ = ["AppClient", "AuctionEndpoint", "ClanEndpoint", "OAuthClient", "UserClanEndpoint", "UserClient"]
