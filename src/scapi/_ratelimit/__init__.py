"""The points of the API: the budget, the window of the server, and which clients share one. Pure but for locks."""
