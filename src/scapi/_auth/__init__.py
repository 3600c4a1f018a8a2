"""Credentials, OAuth and the page that a login comes back to."""
