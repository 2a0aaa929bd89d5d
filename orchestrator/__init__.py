"""Ponte: a multi-tenant WhatsApp gateway."""
