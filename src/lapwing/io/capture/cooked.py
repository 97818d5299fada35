"""Linux cooked captures, as far as they say which way a packet went."""

COOKED = {113: (1, 16), 276: (10, 20)}  # by link type: in which byte of the header it stands, and how long that is
OUTGOING = 4
