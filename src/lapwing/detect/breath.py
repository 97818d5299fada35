"""Room for other threads in the middle of long work."""

BREATH = 256  # records written between two breaths: well under a millisecond


def breathe() -> None:
    """Do nothing, in Python: other threads get their turn where a function starts, and compiled loops never let them.

    So this file must stay uncompiled.
    """
