"""`ponte demo`: all of Ponte against a simulated WhatsApp, on one screen."""

from orchestrator.cli.demo.command import demo

__all__ = ["demo"]
