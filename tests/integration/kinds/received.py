"""Every kind of content that raw Baileys sends, and what becomes of it."""

from tests.integration.kinds.cases import START, Received

FILE = {
    "url": "https://mmg.whatsapp.net/v/t62.7118-24/1",
    "directPath": "/v/t62.7118-24/1",
    "mediaKey": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "fileSha256": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "fileEncSha256": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "fileLength": 1234,
}
SHA256 = bytes(range(32)).hex()

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
        "image",
        {"image": {"caption": "first"}, "album_wa_message_id": "3EB0A1B2C3"},
        message={
            "imageMessage": {**FILE, "mimetype": "image/jpeg", "caption": "first"},
            "messageContextInfo": {
                "messageAssociation": {
                    "associationType": "MEDIA_ALBUM",
                    "parentMessageKey": {"id": "3EB0A1B2C3", "fromMe": True},
                }
            },
        },
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
