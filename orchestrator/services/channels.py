"""Channels: looked up, followed, and what can be posted in them."""

import re
from typing import Final

from orchestrator.domain import errors
from orchestrator.domain.channel import Channel, ChannelAction
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import Audio, Content, Document, Image, Sticker, Text, Video, Voice
from orchestrator.domain.errors import PonteError, invalid_field
from orchestrator.services.context import Context
from orchestrator.services.ports import GatewayPort
from orchestrator.services.session_choice import linked_session

_JID: Final = re.compile(r"[0-9]{5,40}@newsletter")
_INVITE: Final = re.compile(
    r"(?:(?:https?://)?(?:www\.)?whatsapp\.com/channel/)?([A-Za-z0-9_-]{8,64})/?(?:\?.*)?"
)
_POSTED = Text | Image | Video | Audio | Voice | Document | Sticker


class ChannelService:
    """Asks WhatsApp about channels, at once and unqueued.

    Each call names a channel by its jid, its link or the link's code, and raises PonteError: INVALID_ARGUMENT,
    NOT_FOUND, SESSION_AMBIGUOUS, SESSION_NOT_LINKED, CHANNEL_NOT_FOUND, GATEWAY_UNAVAILABLE.
    """

    def __init__(self, context: Context, gateway: GatewayPort) -> None:
        self._context = context
        self._gateway = gateway

    async def look_up(self, scope: CompanyScope, session_id: str, channel: str) -> Channel:
        """Say what a channel is."""
        return await self._ask(scope, session_id, channel, ChannelAction.READ)

    async def follow(self, scope: CompanyScope, session_id: str, channel: str) -> Channel:
        """From now on what is posted there comes in."""
        return await self._ask(scope, session_id, channel, ChannelAction.FOLLOW)

    async def unfollow(self, scope: CompanyScope, session_id: str, channel: str) -> Channel:
        """What is posted there comes no more."""
        return await self._ask(scope, session_id, channel, ChannelAction.UNFOLLOW)

    async def _ask(
        self, scope: CompanyScope, session_id: str, channel: str, action: ChannelAction
    ) -> Channel:
        named = _named(channel)
        session_id = await linked_session(self._context, scope, session_id)
        return await self._gateway.manage_channel(scope, session_id, named, action)


def check_channel(text: str, field: str) -> None:
    """Raise INVALID_ARGUMENT naming `field` unless it can be a channel's jid."""
    if not _JID.fullmatch(text):
        raise invalid_field(
            errors.INVALID_ARGUMENT, field, "Give a channel's jid, such as 120363012345678901@newsletter."
        )


def check_post(content: Content) -> None:
    """Raise CONTENT_NOT_SUPPORTED or INVALID_ARGUMENT where a content cannot be posted in a channel."""
    if not isinstance(content.body, _POSTED):
        raise PonteError(errors.CONTENT_NOT_SUPPORTED, f"A {content.kind} cannot be posted in a channel.")
    for field in ("reply_to", "mentions", "mention_all", "view_once", "expiration_s"):
        if getattr(content, field):
            raise invalid_field(errors.INVALID_ARGUMENT, field, "Posts in channels have no such option.")


def _named(channel: str) -> str:
    if _JID.fullmatch(channel):
        return channel
    found = _INVITE.fullmatch(channel)
    if found is None:
        raise invalid_field(
            errors.INVALID_ARGUMENT,
            "channel",
            "Give a channel's jid or its link (https://whatsapp.com/channel/…).",
        )
    return found.group(1)
