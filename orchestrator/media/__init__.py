"""Files: received into a spool, looked at, kept by the hash of their contents, made into what WhatsApp takes."""
