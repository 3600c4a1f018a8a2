"""The part of scapi that needs no network: no await, no socket, no sleep. Shared by both worlds."""
