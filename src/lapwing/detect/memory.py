"""Large columns of numbers that cost nothing until they are touched.

Memory comes from the system page by page as it is first written, and goes back whole: growing a table leaves no holes.
Where the system has large pages they are asked for, as every look into a big table would otherwise miss twice.
"""

import mmap

LARGE_BYTES = 4 * 1024 * 1024  # from here on large pages are worth their rounding up
PAGE_BYTES = 4_096  # below, ordinary memory does
PRIVATE = getattr(mmap, "MAP_PRIVATE", 0) | getattr(mmap, "MAP_ANONYMOUS", 0)  # shared memory gets no large pages
SIZES = {"Q": 8, "I": 4, "H": 2, "B": 1}


def column(code: str, count: int) -> memoryview:
    """`count` zeros of the type that `array` calls `code`."""
    size = max(1, count) * SIZES[code]
    if size < PAGE_BYTES:
        return memoryview(bytearray(size)).cast(code)  # type: ignore[call-overload,no-any-return]
    area = mmap.mmap(-1, size, flags=PRIVATE) if PRIVATE else mmap.mmap(-1, size)
    if size >= LARGE_BYTES and hasattr(mmap, "MADV_HUGEPAGE"):
        area.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(area).cast(code)  # type: ignore[call-overload,no-any-return]


def wider(old: memoryview, code: str, count: int) -> memoryview:
    """A column of `count` that begins with `old`."""
    new = column(code, count)
    new[: len(old)] = old
    return new
