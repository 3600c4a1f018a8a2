"""The game's API without I/O: build requests, decode responses, map statuses to errors."""
