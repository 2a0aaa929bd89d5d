"""Pure rules and values of Ponte: standard library only, no clock, no randomness, no I/O of its own."""
