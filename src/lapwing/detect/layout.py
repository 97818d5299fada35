"""How entries of the journal and places of an index are laid out: numbers counted in 64, 32 and 16 bits.

Compiled, `laid_out.pxd` says the same, so that the compiler reckons with them instead of looking each up.
"""

# An entry's 64-bit words.
WORDS = 8
ACCOUNT, SECRET, CLIENT, HI, LO, AT, SEQ, META = range(WORDS)
# META: bits 0-15 tries, 16 failed, 17 inferred, 18 forgiven, 24- protocol, 32- name's length, 40- weight, 50- owned
COUNT_MASK = 0xFFFF
FAILED = 1 << 16
INFERRED = 1 << 17
FORGIVEN = 1 << 18
PROTOCOL_SHIFT, PROTOCOL_MASK = 24, 0xFF
LENGTH_SHIFT, LENGTH_MASK = 32, 0xFF
WEIGHT_SHIFT, WEIGHT_MASK = 40, 0x3FF
OWNED = 1 << 50  # and five bits above: the story of this dimension is told by another one's finding
# What else an entry can be asked for by, which is computed.
BY_SOURCE, BY_NETWORK, BY_PAIR = -1, -2, -3

# Its 32-bit notes: how far back the entry before is, by dimension; where its name is; its sparks.
NOTES = 8
NAME = 6
SPARKS = 7
GONE = 0xFFFF_FFFF  # no entry before, or too far back
NAME_MASK = 0xFFFF_FFFF

# A line of an index, in 32-bit numbers: three with the marks of its places, a byte each; its head; the numbers.
LINE = 16
LINE_BYTES = 64
PLACES = 12
HEAD, FIRST = 3, 4
KEPT_OUT = 0xFF  # of a head: how many were kept out of the line; this many or more
FAR = 3  # of the two bits above for each place: how many lines it is from where its key belongs; this many or more
SPARK_BIT = 0x8000_0000
LAP = 0x4000_0000  # of a spark: in which lap of the journal its entry was written, this one or the other
SPARK_MASK = 0x3FFF_FFFF
ALL = 0xFFFF_FFFF

# A row's node: 64-bit words, which are its key and its links.
NODE_WORDS = 2
LINKS = 4  # the same in 32-bit numbers
OLDER = 2  # which of these is the row touched before it, plus one, and in the highest bit its class
NEWER = 3
CLASS_SHIFT = 31
COLD, HELD = 0, 1  # the classes
NUMBER_MASK = 0x7FFF_FFFF

# What a search finds: the number of a row, or one of these.
NOWHERE = -1  # no such record
SPARK_BASE = -2  # slots of sparks count down from here
