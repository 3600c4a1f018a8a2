"""The market on disk: the one synchronous room of SQL under the stores of both worlds."""
