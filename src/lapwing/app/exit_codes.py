"""What the exit status of the program says."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Worse news wins: findings over an unreadable input, that over a partial result."""

    CLEAN = 0  # nothing went wrong, and no finding was as severe as --fail-on
    FINDINGS = 1  # a finding at or above --fail-on
    USAGE = 2  # the command line or a setting is wrong
    INPUT = 3  # an input could not be read at all, or the output could not be written
    PARTIAL = 4  # input damaged; what could be read was read
    INTERRUPTED = 130  # Ctrl-C; what had been seen so far was printed
    PIPE_CLOSED = 141  # the reader of the output went away, as when piped into `head`
