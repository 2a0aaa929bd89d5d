"""The gateway's client of the Node process that wraps Baileys."""
