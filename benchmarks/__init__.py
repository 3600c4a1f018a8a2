"""Benchmarks on this machine alone. `README.md` has the method, the figures and the commands."""
