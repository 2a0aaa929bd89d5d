"""SQL: the only place with a select(). Every function takes a transaction and a scope first."""
