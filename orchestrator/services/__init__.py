"""Use cases. Every front door (gRPC, REST, command line, actors, gateway) goes through here."""
