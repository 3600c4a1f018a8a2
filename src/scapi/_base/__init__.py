"""The lowest layer: checks, escaping, secrets, atomic files. It imports nothing from the layers above."""
