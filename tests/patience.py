"""How long a test waits for what must come: only a failure sees the end of it, however busy the machine."""

ENOUGH_S = 300.0  # what takes a second on an idle machine has taken a minute beside other work
