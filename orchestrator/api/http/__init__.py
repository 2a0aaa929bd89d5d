"""The HTTP door: REST transcoded from the contract, event streams, QR pictures, documentation, probes."""
