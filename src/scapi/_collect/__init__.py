"""How a collector decides: what to ask next, and what is complete. Pure: no clock, no chance, no socket."""
