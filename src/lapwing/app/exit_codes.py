"""What the exit status of the program says."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Worse news wins: findings over an unreadable input, that over a partial result."""

    CLEAN = 0
    FINDINGS = 1  # at or above --fail-on
    USAGE = 2
    INPUT = 3  # an input could not be read at all, or the output could not be written
    PARTIAL = 4  # input damaged; what could be read was read
    INTERRUPTED = 130  # Ctrl-C; what had been seen so far was printed
    PIPE_CLOSED = 141  # the reader of the output went away, as when piped into `head`
