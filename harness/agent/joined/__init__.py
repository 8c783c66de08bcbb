"""Both ends of one build in one agent, over memory and with a clock for each context."""
