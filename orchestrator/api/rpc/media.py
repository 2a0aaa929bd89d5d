"""ponte.v1.MediaService: what is known of files. Their bytes are served by orchestrator/api/http/media.py."""

from google.protobuf.empty_pb2 import Empty

from orchestrator._generated.ponte.v1 import media_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import decode
from orchestrator.api.rpc.encode import moment
from orchestrator.domain.media import Media, MediaSource
from orchestrator.services.media import MediaService

_SOURCE = {source: media_pb2.Media.Source.Value(source.value) for source in MediaSource}


class MediaMethods:
    """Files of the caller's company."""

    service = "ponte.v1.MediaService"

    def __init__(self, media: MediaService) -> None:
        self._media = media

    async def create_media(self, caller: Caller, request: media_pb2.CreateMediaRequest) -> media_pb2.Media:
        """Fetch a file from a URL."""
        key = decode.idempotency_key(request)
        return encode_media(await self._media.fetch_url(caller.scope, request.url, request.file_name, key))

    async def get_media(self, caller: Caller, request: media_pb2.GetMediaRequest) -> media_pb2.Media:
        """Say what is known of a file."""
        return encode_media(await self._media.get(caller.scope, request.media_id))

    async def delete_media(self, caller: Caller, request: media_pb2.DeleteMediaRequest) -> Empty:
        """Forget a file."""
        await self._media.delete(caller.scope, request.media_id)
        return Empty()


def encode_media(value: Media) -> media_pb2.Media:
    """Encode what is known of a file."""
    return media_pb2.Media(
        id=value.id,
        mime_type=value.mime_type,
        size=value.size,
        sha256=value.sha256,
        file_name=value.file_name,
        source=_SOURCE[value.source],
        width=value.facts.width,
        height=value.facts.height,
        seconds=value.facts.seconds,
        created_at=moment(value.created_at),
        expires_at=moment(value.expires_at),
    )
