"""Machines over requests: the paginator, bulk plans and what watchers have seen. Pure."""
