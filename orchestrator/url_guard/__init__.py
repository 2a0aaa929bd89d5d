"""Which addresses Ponte may reach on behalf of a company: one guard for webhooks and media."""
