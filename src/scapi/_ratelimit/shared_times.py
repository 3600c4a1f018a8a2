"""Timeouts and fallbacks of processes that share a budget, in seconds."""

#: Seconds without a step after which a process counts as dead.
LEASE = 3.0
#: The longest time between two steps of a process with waiting calls or requests in flight, in seconds.
HEARTBEAT = 1.0
#: Seconds between two attempts to reach the database again.
RETRY = 0.5
#: How long a report is held back to be sent together with the next call's request, in seconds.
TOGETHER = 0.002
#: How long a process without calls stays registered, in seconds.
LINGER = 5.0
#: How long a process waits for a step to begin before it continues alone, as a multiple of its patience.
STEPLESS = 10
#: The most reports that are kept while the database is unavailable.
REPORTS = 64
#: The assumed cost of an unmeasured operation, in points.
UNMEASURED_COST = 10
#: The share of a process that continues alone and has never seen the others.
UNSEEN_SHARE = 1 / 8
