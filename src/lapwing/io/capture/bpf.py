"""Filters from text: through libpcap's compiler when the library is present, else through the built-in one."""

import ctypes
import ctypes.util
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lapwing.events import SettingsError
from lapwing.wire import BATCH_PACKETS
from lapwing.wire.filter import FilterError, Instruction, compile_filter, match_rows, program_of

SNAPLEN_BYTES = 262_144
NETMASK_UNKNOWN = 0xFFFFFFFF
OPTIMIZE = 0  # libpcap 1.10 optimizes `net 2001:db8::/40 and net 2001:db8::/40` into a program that matches nothing
RETURN = 0x06  # the instruction
DLT_RAW = 12  # on this system; files say 101
_DLT_OF_LINK = {101: DLT_RAW, 14: DLT_RAW}


class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint32)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint), ("instructions", ctypes.POINTER(_Instruction))]


@cache
def _libpcap() -> Any | None:
    """The library with its signatures, None when it is not installed."""
    name = ctypes.util.find_library("pcap")
    if name is None:
        return None
    try:
        library = ctypes.CDLL(name)
    except OSError:
        return None
    library.pcap_open_dead.restype = ctypes.c_void_p
    library.pcap_open_dead.argtypes = [ctypes.c_int, ctypes.c_int]
    library.pcap_compile.argtypes = [
        ctypes.c_void_p,
        ctypes.POINTER(_Program),
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_uint32,
    ]
    library.pcap_geterr.restype = ctypes.c_char_p
    library.pcap_geterr.argtypes = [ctypes.c_void_p]
    library.pcap_freecode.argtypes = [ctypes.POINTER(_Program)]
    library.pcap_close.argtypes = [ctypes.c_void_p]
    return library


def libpcap_is_present() -> bool:
    """Whether every pcap-filter expression can be used, not just the common ones."""
    return _libpcap() is not None


def compile_expression(text: str, link_type: int) -> NDArray[np.void]:
    """The program for an expression. Raises SettingsError that says what is wrong and, where known, at which column."""
    library = _libpcap()
    try:
        return compile_filter(text, link_type) if library is None else _compile(library, text, link_type)
    except FilterError as error:
        hint = "" if library else "; libpcap is not installed, so only common expressions are understood"
        raise SettingsError(f"filter: {error} at column {error.position} of {text!r}{hint}") from error
    except ValueError as error:
        raise SettingsError(f"filter: {error}: {text!r}") from error


def _compile(library: Any, text: str, link_type: int) -> NDArray[np.void]:
    if not text.isascii() or "\0" in text:
        raise ValueError("only ASCII is understood")
    handle = library.pcap_open_dead(_DLT_OF_LINK.get(link_type, link_type), SNAPLEN_BYTES)
    if not handle:
        raise ValueError("libpcap refused to start")
    program = _Program()
    try:
        if library.pcap_compile(handle, ctypes.byref(program), text.encode(), OPTIMIZE, NETMASK_UNKNOWN) != 0:
            raise ValueError(library.pcap_geterr(handle).decode(errors="replace"))
        found = [program.instructions[index] for index in range(program.length)]
        instructions = [Instruction(one.code, one.jt, one.jf, one.k) for one in found]
        library.pcap_freecode(ctypes.byref(program))
    finally:
        library.pcap_close(handle)
    return program_of(instructions)


class PacketFilter:
    """One expression over packets of any link types; compiled for each when it is first met.

    `link_type` is the one to expect: what does not compile for it is refused at once with SettingsError. Packets of
    another link type it does not compile for match nothing, and `refusals` says why, by link type.
    """

    def __init__(self, text: str, link_type: int) -> None:
        self.refusals: dict[int, str] = {}
        self._text = text
        self._programs = {link_type: compile_expression(text, link_type)}
        self._keep = np.zeros(BATCH_PACKETS, np.uint8)

    def apply(self, buffer: Any, rows: NDArray[np.void], count: int) -> int:
        """Move the matching ones of the first `count` rows to the front; returns how many."""
        keep = self._keep[:count]
        for link_type in np.unique(rows["link_type"][:count]).tolist():
            match_rows(self._program(link_type), buffer, rows, count, link_type, keep)
        kept = int(np.count_nonzero(keep))
        if kept < count:
            rows[:kept] = rows[:count][keep.view(bool)]
        return kept

    def _program(self, link_type: int) -> NDArray[np.void]:
        program = self._programs.get(link_type)
        if program is None:
            try:
                program = compile_expression(self._text, link_type)
            except SettingsError as error:
                self.refusals[link_type] = str(error)
                program = program_of([Instruction(RETURN, 0, 0, 0)])
            self._programs[link_type] = program
        return program
