"""The market on disk: the synchronous SQL code that `scapi.Store` and `scapi.sync.Store` share."""
