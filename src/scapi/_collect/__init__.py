"""The decisions of a collector: what to fetch next, and what is complete. Pure: no clock, no randomness, no I/O."""
