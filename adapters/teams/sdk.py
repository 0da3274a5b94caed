"""The Bot Framework SDK behind our port: no other module knows it.

It checks tokens and addresses requests. It reads no activity, keeps no state, sends nothing by
itself and writes no JSON: docs/adr/0017.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Never

import orjson
from botbuilder.schema import Activity, ConversationParameters
from botframework.connector.aio import ConnectorClient
from botframework.connector.auth import (
    AppCredentials,
    AuthenticationConstants,
    BotFrameworkAuthenticationFactory,
    ChannelValidation,
    GovernmentConstants,
    JwtTokenExtractor,
    ServiceClientCredentialsFactory,
)
from msrest.pipeline import AsyncHTTPPolicy, AsyncHTTPSender, AsyncPipeline, Request, Response
from msrest.pipeline.universal import RawDeserializer

from adapters.teams.credentials import CONNECTOR_SCOPE, Credentials
from adapters.teams.hosts import ServiceHosts
from adapters.teams.proven import Proven
from adapters.teams.signing_keys import SigningKeys
from adapters.teams.transport import (
    ConnectorRefused,
    ConnectorUnclear,
    Conversation,
    NotGenuine,
)
from adapters.teams.wire import Answer, Wire

#: Where the SDK would fetch the keys of emulators and skills, on the loop and without a timeout.
_NOT_ASKED: Final = (
    AuthenticationConstants.TO_BOT_FROM_EMULATOR_OPENID_METADATA_URL,
    GovernmentConstants.TO_BOT_FROM_EMULATOR_OPENID_METADATA_URL,
)
#: What the SDK is given to write; our own JSON goes instead.
_NOTHING: Final = Activity(type="message")


class BotBuilderTransport:
    """Implements :class:`adapters.teams.transport.Transport`."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        keys: SigningKeys,
        hosts: ServiceHosts,
        wire: Wire,
        proven: Proven | None = None,
    ) -> None:
        self._credentials = credentials
        self._keys = keys
        self._hosts = hosts
        self._wire = wire
        self._proven = proven or Proven()
        self._bot = f"28:{credentials.app_id}"
        self._authentication = BotFrameworkAuthenticationFactory.create(
            credential_factory=_OurApp(credentials)
        )
        self._clients: dict[str, Any] = {}

    async def authenticate(
        self, activity: Mapping[str, Any], authorization: str | None
    ) -> Mapping[str, Any]:
        channel, service_url = activity.get("channelId"), activity.get("serviceUrl")
        if not authorization:
            raise NotGenuine("no token")
        # The SDK compares these with the token only when they are there.
        if not isinstance(channel, str) or not channel:
            raise NotGenuine("no channel")
        if not isinstance(service_url, str) or not service_url:
            raise NotGenuine("no service address")
        # The SDK takes a millisecond for what seldom differs from one activity to the next.
        known = self._proven.claims(authorization, channel, service_url)
        if known is not None:
            return known
        claims = await self._check(authorization, channel, service_url)
        self._proven.keep(claims, authorization, channel, service_url)
        return claims

    async def _check(self, authorization: str, channel: str, service_url: str) -> Mapping[str, Any]:
        named = Activity(channel_id=channel, service_url=service_url)
        # The SDK keeps both for the process: set again for each check, which reads them before
        # it first waits.
        ChannelValidation.open_id_metadata_endpoint = self._keys.url
        JwtTokenExtractor.metadataCache[self._keys.url] = self._keys
        JwtTokenExtractor.metadataCache.update(dict.fromkeys(_NOT_ASKED, _NO_KEYS))
        try:
            result = await self._authentication.authenticate_request(named, authorization)
            return dict(result.claims_identity.claims)
        except NotGenuine:
            raise
        except Exception as error:  # noqa: BLE001 - the SDK raises whatever it meets
            # Some of it quotes the token.
            raise NotGenuine(type(error).__name__) from None

    async def begin(self, *, tenant: str, user: str, service_url: str) -> Conversation:
        told = await self._created(
            service_url,
            {
                "bot": {"id": self._bot},
                "members": [{"id": user}],
                "isGroup": False,
                "tenantId": tenant,
                "channelData": {"tenant": {"id": tenant}},
            },
        )
        return Conversation(
            tenant=tenant,
            user=user,
            conversation=_id_in(told, "id"),
            service_url=service_url,
            bot=self._bot,
        )

    async def send(self, to: Conversation, activity: Mapping[str, Any]) -> str:
        conversations = await self._conversations(to.service_url)
        told = await conversations.send_to_conversation(
            to.conversation, _NOTHING, raw=True, body=orjson.dumps(_addressed(activity, to))
        )
        return _id_in(told.response.answer, "id")

    async def update(self, to: Conversation, activity_id: str, activity: Mapping[str, Any]) -> None:
        conversations = await self._conversations(to.service_url)
        whole = {**_addressed(activity, to), "id": activity_id}
        await conversations.update_activity(
            to.conversation, activity_id, _NOTHING, raw=True, body=orjson.dumps(whole)
        )

    async def post_in_channel(
        self, *, tenant: str, service_url: str, channel: str, activity: Mapping[str, Any]
    ) -> str:
        told = await self._created(
            service_url,
            {
                "bot": {"id": self._bot},
                "isGroup": True,
                "tenantId": tenant,
                "channelData": {"channel": {"id": channel}, "tenant": {"id": tenant}},
                "activity": {**activity, "from": {"id": self._bot}},
            },
        )
        return _id_in(told, "activityId")

    async def member(self, of: Conversation, user: str) -> Mapping[str, Any] | None:
        conversations = await self._conversations(of.service_url)
        try:
            told = await conversations.get_conversation_member(of.conversation, user, raw=True)
        except ConnectorRefused as error:
            if error.status == 404:
                return None
            raise
        answer: Answer = told.response.answer
        if not isinstance(answer.json, Mapping):
            raise ConnectorUnclear("The Connector's answer is not understood.")
        return answer.json

    async def close(self) -> None:
        await self._keys.close()
        await self._credentials.close()
        await self._wire.close()

    async def _created(self, service_url: str, parameters: Mapping[str, Any]) -> Answer:
        conversations = await self._conversations(service_url)
        told = await conversations.create_conversation(
            ConversationParameters(), raw=True, body=orjson.dumps(parameters)
        )
        answer: Answer = told.response.answer
        return answer

    async def _conversations(self, service_url: str) -> Any:
        if not self._hosts.admits(service_url):
            raise ConnectorRefused(status=0, code="ServiceAddressNotAdmitted")
        client = self._clients.get(service_url)
        if client is None:
            client = ConnectorClient(_Signed(self._credentials), base_url=service_url)
            # Its own would ask in threads, try again, and follow redirects with the token.
            client.config.pipeline = AsyncPipeline([client.config.credentials], _Sender(self._wire))
            self._clients[service_url] = client
        return client.conversations


class _OurApp(ServiceClientCredentialsFactory):  # type: ignore[misc] # the SDK has no types
    """Says for which app a token has to be; the checks are never off."""

    def __init__(self, credentials: Credentials) -> None:
        self._app_id = credentials.app_id

    async def is_valid_app_id(self, app_id: str) -> bool:
        return app_id == self._app_id

    async def is_authentication_disabled(self) -> bool:
        return False

    async def create_credentials(
        self,
        app_id: str,
        oauth_scope: str,
        login_endpoint: str,
        validate_authority: bool,  # noqa: FBT001 - the SDK's signature
    ) -> AppCredentials:
        raise NotImplementedError("each request is signed with our own credentials")


class _NoKeys:
    async def get(self, _key_id: str | None) -> Never:
        raise NotGenuine("another issuer")


_NO_KEYS: Final = _NoKeys()


class _Signed(AsyncHTTPPolicy):  # type: ignore[misc] # the SDK has no types
    """Puts the bot's token beside each request, without stalling the loop."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self._credentials = credentials

    async def send(self, request: Request, **how: Any) -> Response:
        token = await self._credentials.token(CONNECTOR_SCOPE)
        try:
            return await self.next.send(request, token=token, **how)
        except ConnectorRefused as error:
            if error.status == 401:
                self._credentials.forget(CONNECTOR_SCOPE)
            raise


class _Taken:
    """An answer, as the SDK looks at it."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.status_code = HTTPStatus.OK
        self.context: Mapping[str, Any] = {}


class _Sender(AsyncHTTPSender):  # type: ignore[misc] # the SDK has no types
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def __aexit__(self, *exc_details: object) -> None: ...

    async def send(
        self, request: Request, *, token: str, body: bytes | None = None, **_: Any
    ) -> Response:
        asked = request.http_request
        answer = await self._wire.call(asked.method, asked.url, token=token, body=body)
        # What the SDK reads of an answer it may drop or refuse; we read it ourselves.
        return Response(request, _Taken(answer), {RawDeserializer.CONTEXT_NAME: None})


def _addressed(activity: Mapping[str, Any], to: Conversation) -> dict[str, Any]:
    return {
        **activity,
        "from": {"id": to.bot},
        "recipient": {"id": to.mri or to.user},
        "conversation": {"id": to.conversation, "tenantId": to.tenant},
    }


def _id_in(answer: Answer, name: str) -> str:
    """Return what the Connector calls what it made.

    Raises:
        ConnectorUnclear: it made something and did not say what.
    """
    found = answer.json.get(name) if isinstance(answer.json, Mapping) else None
    if not isinstance(found, str) or not found:
        raise ConnectorUnclear("The Connector named nothing.")
    return found
