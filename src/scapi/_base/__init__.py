"""What everything else stands on: checks, escaping, redaction, atomic files. Imports nothing above it."""
