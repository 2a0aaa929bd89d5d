"""`ponte demo`: all of Ponte against a simulated WhatsApp, on one screen."""
