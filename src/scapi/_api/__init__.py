"""The API without a socket: what to ask, how to read the answers, and which error a status stands for. Pure."""
