"""Every kind of content, as it is sent over REST and as raw Baileys sends it."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

START = "2030-01-31T18:00:00Z"
FILE = {
    "url": "https://mmg.whatsapp.net/v/t62.7118-24/1",
    "directPath": "/v/t62.7118-24/1",
    "mediaKey": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "fileSha256": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "fileEncSha256": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "fileLength": 1234,
}
SHA256 = bytes(range(32)).hex()


@dataclass(frozen=True)
class Sent:
    """A request's content, and what stands in the protobuf `Message` that the other side decrypts.

    `{picture}`, `{film}` and `{sound}` stand for ids of files.
    `about` says which message it names: `theirs` came in, `ours` went out; `{id}` in the body stands for it.
    """

    kind: str
    body: Json
    arrives: Json
    about: str = ""


@dataclass(frozen=True)
class Received:
    """What raw Baileys sends (`content` of sendMessage or a protobuf `message`), and the content that it becomes.

    `about`: as in Sent, from the other side: `theirs` is what raw Baileys sent before, whose key it names.
    """

    kind: str
    becomes: Json
    content: Json | None = None
    message: Json | None = None
    about: str = ""
    event: str = "message.received"


SENT = [
    Sent(
        "text",
        {
            "text": {
                "body": "*Olá* @5511900000001, see https://ponte.example/a",
                "preview": {"url": "https://ponte.example/a", "title": "Ponte"},
            },
            "mentions": ["+5511900000001"],
            "reply_to": "{id}",
            "expiration_s": 86400,
        },
        {
            "extendedTextMessage": {
                "text": "*Olá* @5511900000001, see https://ponte.example/a",
                "matchedText": "https://ponte.example/a",
                "title": "Ponte",
                "contextInfo": {
                    "stanzaId": "{wa_id}",
                    "mentionedJid": ["5511900000001@s.whatsapp.net"],
                    "quotedMessage": {"extendedTextMessage": {"text": "theirs"}},
                    "expiration": 86400,
                },
            }
        },
        about="theirs",
    ),
    Sent(
        "text",
        {"forward": {"message_id": "{id}"}},
        {"extendedTextMessage": {"text": "theirs", "contextInfo": {"isForwarded": True}}},
        about="theirs",
    ),
    Sent(
        "image",
        {"image": {"media": {"media_id": "{picture}"}, "caption": "look"}, "view_once": True},
        {"viewOnceMessage": {"message": {"imageMessage": {"caption": "look", "mimetype": "image/png"}}}},
    ),
    Sent(
        "video",
        {"video": {"media": {"media_id": "{film}"}, "round": True}},
        {"ptvMessage": {"mimetype": "video/mp4"}},
    ),
    Sent(
        "audio", {"audio": {"media": {"media_id": "{sound}"}}}, {"audioMessage": {"mimetype": "audio/mpeg"}}
    ),
    Sent("voice", {"voice": {"media": {"media_id": "{sound}"}}}, {"audioMessage": {"ptt": True}}),
    Sent(
        "document",
        {"document": {"media": {"media_id": "{picture}", "file_name": "a.png"}, "caption": "your bill"}},
        {"documentMessage": {"fileName": "a.png", "caption": "your bill"}},
    ),
    Sent(
        "sticker",
        {"sticker": {"media": {"media_id": "{picture}"}}},
        {"stickerMessage": {"mimetype": "image/webp"}},
    ),
    Sent(
        "location",
        {"location": {"latitude": -23.5, "longitude": -46.6, "name": "Praça da Sé", "address": "São Paulo"}},
        {"locationMessage": {"degreesLatitude": -23.5, "degreesLongitude": -46.6, "name": "Praça da Sé"}},
    ),
    Sent(
        "contacts",
        {"contacts": {"cards": [{"display_name": "Ana", "phone_numbers": ["+5511987654321"]}]}},
        {"contactMessage": {"displayName": "Ana"}},
    ),
    Sent(
        "poll",
        {"poll": {"question": "Which day?", "options": ["Monday", "Friday"], "selectable_count": 1}},
        {"pollCreationMessageV3": {"name": "Which day?", "selectableOptionsCount": 1}},
    ),
    Sent(
        "event",
        {"event": {"name": "Party", "start_at": START, "location": {"latitude": 1.5, "longitude": 2.5}}},
        {"eventMessage": {"name": "Party", "startTime": "1896112800"}},
    ),
    Sent(
        "reaction",
        {"reaction": {"message_id": "{id}", "emoji": "👍"}},
        {"reactionMessage": {"text": "👍", "key": {"id": "{wa_id}"}}},
        about="theirs",
    ),
    Sent(
        "edit",
        {"edit": {"message_id": "{id}", "body": "edited"}},
        {
            "protocolMessage": {
                "type": "MESSAGE_EDIT",
                "key": {"id": "{wa_id}"},
                "editedMessage": {"extendedTextMessage": {"text": "edited"}},
            }
        },
        about="ours",
    ),
    Sent(
        "pin",
        {"pin": {"message_id": "{id}", "duration_s": 604800}},
        {"pinInChatMessage": {"type": "PIN_FOR_ALL", "key": {"id": "{wa_id}"}}},
        about="theirs",
    ),
    Sent(
        "delete",
        {"delete": {"message_id": "{id}"}},
        {"protocolMessage": {"key": {"id": "{wa_id}"}}},
        about="ours",
    ),
    Sent(
        "disappearing",
        {"disappearing": {"seconds": 604800}},
        {
            "ephemeralMessage": {
                "message": {"protocolMessage": {"type": "EPHEMERAL_SETTING", "ephemeralExpiration": 604800}}
            }
        },
    ),
    Sent(
        "buttons",
        {"buttons": {"body": "Shall we come?", "buttons": [{"text": "Yes", "id": "yes"}, {"text": "No"}]}},
        {"extendedTextMessage": {"text": "Shall we come?\n\n1. Yes\n2. No"}},
    ),
    Sent(
        "buttons",
        {"buttons": {"body": "Real ones?", "buttons": [{"text": "Yes", "id": "yes"}], "native": True}},
        {
            "interactiveMessage": {
                "body": {"text": "Real ones?"},
                "nativeFlowMessage": {
                    "buttons": [
                        {"name": "quick_reply", "buttonParamsJson": '{"display_text":"Yes","id":"yes"}'}
                    ]
                },
            }
        },
    ),
    Sent(
        "list",
        {"list": {"body": "What?", "button_text": "Open", "sections": [{"rows": [{"title": "Cake"}]}]}},
        {"extendedTextMessage": {"text": "What?\n\n1. Cake"}},
    ),
]

RECEIVED = [
    Received(
        "text",
        {"text": {"body": "hi @5511900000001"}, "mentions": ["5511900000001@s.whatsapp.net"]},
        content={"text": "hi @5511900000001", "mentions": ["5511900000001@s.whatsapp.net"]},
    ),
    Received(
        "image",
        {
            "image": {
                "media": {
                    "mime_type": "image/jpeg",
                    "size": 1234,
                    "sha256": SHA256,
                    "width": 640,
                    "height": 480,
                },
                "caption": "look",
            },
            "view_once": True,
        },
        message={
            "viewOnceMessageV2": {
                "message": {
                    "imageMessage": {
                        **FILE,
                        "mimetype": "image/jpeg",
                        "caption": "look",
                        "width": 640,
                        "height": 480,
                    }
                }
            }
        },
    ),
    Received(
        "video",
        {
            "video": {
                "media": {"mime_type": "video/mp4", "size": 1234, "sha256": SHA256, "seconds": 3},
                "gif": True,
            }
        },
        message={"videoMessage": {**FILE, "mimetype": "video/mp4", "seconds": 3, "gifPlayback": True}},
    ),
    Received(
        "audio",
        {"audio": {"media": {"mime_type": "audio/mpeg", "size": 1234, "sha256": SHA256, "seconds": 9}}},
        message={"audioMessage": {**FILE, "mimetype": "audio/mpeg", "seconds": 9}},
    ),
    Received(
        "voice",
        {
            "voice": {
                "media": {"mime_type": "audio/ogg; codecs=opus", "size": 1234, "sha256": SHA256},
                "waveform": "AAEC",
            }
        },
        message={
            "audioMessage": {**FILE, "mimetype": "audio/ogg; codecs=opus", "ptt": True, "waveform": "AAEC"}
        },
    ),
    Received(
        "document",
        {
            "document": {
                "media": {
                    "mime_type": "application/pdf",
                    "size": 1234,
                    "sha256": SHA256,
                    "file_name": "bill.pdf",
                },
                "caption": "your bill",
            }
        },
        message={
            "documentWithCaptionMessage": {
                "message": {
                    "documentMessage": {
                        **FILE,
                        "mimetype": "application/pdf",
                        "fileName": "bill.pdf",
                        "caption": "your bill",
                    }
                }
            }
        },
    ),
    Received(
        "sticker",
        {
            "sticker": {
                "media": {"mime_type": "image/webp", "size": 1234, "sha256": SHA256},
                "animated": True,
            }
        },
        message={"stickerMessage": {**FILE, "mimetype": "image/webp", "isAnimated": True}},
    ),
    Received(
        "album",
        {"album": {"expected_images": 2, "expected_videos": 1}},
        message={"albumMessage": {"expectedImageCount": 2, "expectedVideoCount": 1}},
    ),
    Received(
        "location",
        {"location": {"latitude": 1.5, "longitude": 2.5, "name": "here"}},
        content={"location": {"degreesLatitude": 1.5, "degreesLongitude": 2.5, "name": "here"}},
    ),
    Received(
        "contacts",
        {
            "contacts": {
                "cards": [
                    {
                        "display_name": "Ana",
                        "vcard": "BEGIN:VCARD\nTEL;waid=5511987654321:x\nEND:VCARD",
                        "phone_numbers": ["+5511987654321"],
                    }
                ]
            }
        },
        content={
            "contacts": {
                "displayName": "Ana",
                "contacts": [
                    {"displayName": "Ana", "vcard": "BEGIN:VCARD\nTEL;waid=5511987654321:x\nEND:VCARD"}
                ],
            }
        },
    ),
    Received(
        "poll",
        {"poll": {"question": "When?", "options": ["a", "b"]}},
        content={"poll": {"name": "When?", "values": ["a", "b"]}},
    ),
    Received(
        "event",
        {"event": {"name": "Party", "start_at": START}},
        content={"event": {"name": "Party", "startDate": START}},
    ),
    Received(
        "group_invite",
        {"group_invite": {"group_jid": "1@g.us", "group_name": "Friends", "code": "AbC"}},
        message={"groupInviteMessage": {"groupJid": "1@g.us", "groupName": "Friends", "inviteCode": "AbC"}},
    ),
    Received(
        "reaction",
        {"reaction": {"message_id": "{id}", "emoji": "❤️"}},
        content={"react": {"text": "❤️", "key": "{key}"}},
        about="ours",
        event="message.reaction",
    ),
    Received(
        "edit",
        {"edit": {"message_id": "{id}", "body": "better"}},
        content={"text": "better", "edit": "{key}"},
        about="theirs",
        event="message.edited",
    ),
    Received(
        "pin",
        {"pin": {"message_id": "{id}", "duration_s": 86400}},
        content={"pin": "{key}", "type": 1, "time": 86400},
        about="theirs",
        event="message.pinned",
    ),
    Received(
        "delete",
        {"delete": {"message_id": "{id}"}},
        content={"delete": "{key}"},
        about="theirs",
        event="message.deleted",
    ),
    Received(
        "disappearing",
        {"disappearing": {"seconds": 86400}},
        content={"disappearingMessagesInChat": 86400},
    ),
    Received(
        "buttons",
        {"buttons": {"body": "Go?", "buttons": [{"text": "Yes", "id": "y"}], "native": True}},
        message={
            "buttonsMessage": {
                "contentText": "Go?",
                "buttons": [{"buttonId": "y", "buttonText": {"displayText": "Yes"}}],
            }
        },
    ),
    Received(
        "list",
        {
            "list": {
                "body": "What?",
                "button_text": "Open",
                "sections": [{"rows": [{"title": "Cake", "id": "c"}]}],
                "native": True,
            }
        },
        message={
            "listMessage": {
                "description": "What?",
                "buttonText": "Open",
                "sections": [{"rows": [{"title": "Cake", "rowId": "c"}]}],
            }
        },
    ),
    Received(
        "choice",
        {"choice": {"id": "yes", "text": "Yes"}},
        message={
            "interactiveResponseMessage": {
                "body": {"text": "Yes"},
                "nativeFlowResponseMessage": {"name": "quick_reply", "paramsJson": '{"id":"yes"}'},
            }
        },
    ),
    Received("choice", {"choice": {"id": "Cake", "text": "Cake"}}, content={"text": "1"}),
    Received(
        "unknown",
        {"unknown": {"name": "requestPhoneNumberMessage"}},
        message={"requestPhoneNumberMessage": {}},
    ),
]


def filled(value: Any, **words: Any) -> Any:
    """Put words in place of `{name}` in a JSON-like value; a text that is nothing else becomes the word itself."""
    if isinstance(value, dict):
        return {key: filled(item, **words) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, **words) for item in value]
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        return words.get(value[1:-1], value)
    return value


def missing(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Where `found` has not what `wanted` says; what it has besides does not matter."""
    if isinstance(wanted, dict):
        inner = found if isinstance(found, dict) else {}
        return [gap for key, item in wanted.items() for gap in missing(item, inner.get(key), f"{path}.{key}")]
    return [] if wanted == found else [f"{path}: {found!r} instead of {wanted!r}"]
