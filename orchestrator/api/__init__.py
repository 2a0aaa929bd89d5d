"""The front doors: gRPC and REST over one core. Both are thin; use cases live in orchestrator.services."""
