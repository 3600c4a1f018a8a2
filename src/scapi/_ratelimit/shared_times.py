"""How long the processes that share a budget wait for each other, in seconds, and what they assume meanwhile."""

#: Seconds after which a process that says nothing is taken for dead.
LEASE = 3.0
#: How often a process that waits or has requests in flight makes a step at least, in seconds.
HEARTBEAT = 1.0
#: How often it is tried whether the common place is back, in seconds.
RETRY = 0.5
#: Seconds for which an answer is kept back, so that it travels together with the next call's question.
TOGETHER = 0.002
#: Seconds that a process without calls stays known to the others.
LINGER = 5.0
#: How often its patience a process waits for a step to begin, before it goes on alone.
STEPLESS = 10
#: Answers that are kept while nobody takes them.
REPORTS = 64
#: What an unknown cost is taken for by a process on its own.
UNMEASURED_COST = 10
#: The share of a process on its own that has never seen the others.
UNSEEN_SHARE = 1 / 8
