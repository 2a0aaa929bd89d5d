"""The sending policy: pure rules that say whether, when and how a message may leave. docs/sending-policy.md
has the figures."""
