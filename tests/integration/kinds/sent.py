"""Every kind of content that is sent over REST, and what raw Baileys gets."""

from tests.integration.kinds.cases import START, Sent

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
