"""`scapi doctor`: how the API that answers differs from the one that this library was written for."""
