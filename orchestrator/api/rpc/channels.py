"""ponte.v1.ChannelService."""

from orchestrator._generated.ponte.v1 import channel_pb2 as pb
from orchestrator.api.caller import Caller
from orchestrator.domain.channel import Channel
from orchestrator.services.channels import ChannelService


class ChannelMethods:
    """Channels, as the numbers of the caller's company see them."""

    service = "ponte.v1.ChannelService"

    def __init__(self, channels: ChannelService) -> None:
        self._channels = channels

    async def look_up_channel(self, caller: Caller, request: pb.ChannelRequest) -> pb.Channel:
        """Look a channel up."""
        return _encode(await self._channels.look_up(caller.scope, request.session_id, request.channel))

    async def follow_channel(self, caller: Caller, request: pb.ChannelRequest) -> pb.Channel:
        """Follow a channel."""
        return _encode(await self._channels.follow(caller.scope, request.session_id, request.channel))

    async def unfollow_channel(self, caller: Caller, request: pb.ChannelRequest) -> pb.Channel:
        """Follow a channel no more."""
        return _encode(await self._channels.unfollow(caller.scope, request.session_id, request.channel))


def _encode(channel: Channel) -> pb.Channel:
    return pb.Channel(
        jid=channel.jid,
        name=channel.name,
        description=channel.description,
        followers=channel.followers,
        link=channel.link,
        following=channel.following,
        can_post=channel.can_post,
    )
