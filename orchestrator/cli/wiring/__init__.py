"""How the parts of one process are put together, a file for each layer."""
