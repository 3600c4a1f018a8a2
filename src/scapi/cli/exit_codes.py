"""The exit codes of the terminal that no error stands for. Imports nothing, so that it is there without the extra."""

#: The extra, or a file of scapi, is missing.
MISSING_EXTRA = 9

#: `collect --once` has collected the rest, but some items failed.
SOME_FAILED = 11

#: 128 + the number of the signal, as a shell reports a program that SIGINT or SIGPIPE ended.
INTERRUPTED = 130
PIPE_CLOSED = 141
