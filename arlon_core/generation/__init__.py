"""From story to film: the plan, and the chunk loop as named steps that yield events."""
