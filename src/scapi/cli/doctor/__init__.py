"""`scapi doctor`: compare the API with what this library expects."""
