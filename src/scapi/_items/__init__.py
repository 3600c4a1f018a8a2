"""The item database: its files, names and cache."""
