"""Chats that WhatsApp's app exported as text: what their lines say. Nothing here raises on any text."""
