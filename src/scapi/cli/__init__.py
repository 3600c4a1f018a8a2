"""The terminal: `scapi`, of the extra `cli`. It is built on the public clients and on nothing behind them."""
