"""Where the records of tables live: beside one another, in pages that may become large ones.

Among Python's other objects a record lies anywhere in hundreds of megabytes of ordinary pages, and looking at one waits
for the page as well as for the record. Here it begins with a line of the processor's cache. What goes is used for the
next one of its size; nothing is given back to the system, so a process keeps the memory of the most records it had.
Runs compiled, typed by `slabs.pxd` (`pages.pxd` is the memory), and as it stands, where records are ordinary objects.
"""

from typing import Any

from lapwing.detect import plainly as pages


def keep(kind: type) -> None:
    """Objects of `kind` live here from now on: called once, before there are any.

    It holds numbers alone, or is at least none that the garbage collector walks. Only the former have a `like`.
    """
    pages.keep(kind)


def like(pattern: Any) -> Any:
    """A new object like `pattern`, which holds numbers alone."""
    return pages.like(pattern)
