"""Channels on the bridge's contract."""

from typing import Final

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2 as pb
from orchestrator._generated.ponte.bridge.v1 import channel_pb2
from orchestrator.bridge import errors
from orchestrator.domain.channel import Channel, ChannelAction
from orchestrator.domain.errors import CHANNEL_NOT_FOUND, PonteError

_ACTIONS: Final = {
    ChannelAction.READ: channel_pb2.CHANNEL_ACTION_READ,
    ChannelAction.FOLLOW: channel_pb2.CHANNEL_ACTION_FOLLOW,
    ChannelAction.UNFOLLOW: channel_pb2.CHANNEL_ACTION_UNFOLLOW,
}


def encode_command(request_id: int, channel: str, action: ChannelAction) -> pb.SessionCommand:
    """Ask about a channel, named by its jid or the code of its link."""
    asked = channel_pb2.ManageChannel(request_id=request_id, channel=channel, action=_ACTIONS[action])
    return pb.SessionCommand(manage_channel=asked)


def decode_answer(answer: channel_pb2.ChannelManaged) -> Channel:
    """Read the answer. Raises PonteError where there is none."""
    if answer.error_code == "NOT_FOUND":
        raise PonteError(CHANNEL_NOT_FOUND)
    if answer.error_code:
        raise errors.refused(answer.error_code, answer.detail)
    return decode_channel(answer.channel)


def encode_channel(channel: Channel) -> channel_pb2.Channel:
    """Write a channel."""
    return channel_pb2.Channel(
        jid=channel.jid,
        name=channel.name,
        description=channel.description,
        followers=channel.followers,
        invite_code=channel.invite_code,
        role=channel.role,
    )


def decode_channel(channel: channel_pb2.Channel) -> Channel:
    """Read a channel."""
    return Channel(
        channel.jid,
        channel.name,
        channel.description,
        channel.followers,
        channel.invite_code,
        channel.role,
    )
