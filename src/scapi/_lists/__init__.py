"""State machines over requests: the paginator, bulk plans and the state of watchers. No I/O."""
