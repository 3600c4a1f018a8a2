from typing import assert_type

import scapi
import scapi.sync
from scapi.models import AppToken, User, UserToken


async def save(token: UserToken) -> None: ...


async def asynchronous(oauth: scapi.OAuthClient) -> None:
    assert_type(await oauth.login(login_timeout=5, open_browser=False, port=1, ask=input), UserToken)
    assert_type(await oauth.get_app_token(), AppToken)
    assert_type(await oauth.get_user_token("code"), UserToken)
    assert_type(await oauth.refresh_user_token("refresh"), UserToken)
    assert_type(await oauth.validate_user_token("token"), User)
    assert_type(oauth.get_authorize_url(), scapi.AuthorizeUrl)
    assert_type(oauth.get_authorize_url().state, str)
    assert_type(oauth.get_authorize_url(state="state").partition("?")[0], str)
    async with scapi.OAuthClient.from_env(timeout=1.0) as another:
        assert_type(another, scapi.OAuthClient)


def synchronous(oauth: scapi.sync.OAuthClient) -> None:
    assert_type(oauth.get_authorize_url(), scapi.sync.AuthorizeUrl)
    token = oauth.login()
    assert_type(token, UserToken)
    assert_type(oauth.refresh_user_token(token), UserToken)
    assert_type(oauth.validate_user_token(token), User)
    assert_type(token.is_expired, bool)
    assert_type(UserToken.from_json(token.to_json()), UserToken)


def clients(token: UserToken) -> None:
    scapi.UserClient(token=token, client_id="id", client_secret="secret", on_token=save)
    scapi.sync.UserClient(token="text", refresh_token="refresh", client_id="id", client_secret="s", on_token=print)
