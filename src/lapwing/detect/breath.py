"""Room for other threads in the middle of long work."""

BREATH = 64  # records between two breaths: a millisecond or two where they are long, mostly a fraction of one


def breathe() -> None:
    """Do nothing, in Python: other threads get their turn where a function starts, and compiled loops never let them.

    So this file must stay uncompiled.
    """
