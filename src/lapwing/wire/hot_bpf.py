# cython: show_performance_hints=False
# mypy: ignore-errors
"""The compiled interpreter of classic BPF programs. Cython in pure-Python mode.

Semantics are those of `plain_bpf`; tests hold the two together. Rules of this file: bounds checks on, pointers only to
one bounds-checked row, every function propagates its exceptions. Programs have been validated before: jumps go forward
and stay inside, so a run ends.
"""

import cython
import numpy as np
from cython import int as cint
from cython import longlong as i64
from cython import uchar as u8
from cython import uint as u32
from cython import ulonglong as u64
from cython import ushort as u16
from cython.cimports.lapwing.wire.hot_types import PacketRow

if not cython.compiled:
    raise ImportError("lapwing.wire.hot_bpf runs only compiled; lapwing.wire.plain_bpf is its twin")

Instruction = cython.struct(code=u16, jump_true=u8, jump_false=u8, k=u32)

REJECT = cython.declare(i64, 0)
WORD = cython.declare(i64, 4_294_967_295)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _load(frame: cython.const[u8][::1], start: i64, end: i64, offset: i64, size: cint) -> i64:
    """A big-endian number of 1, 2 or 4 bytes at `offset` of the frame; -2 when it is not all there."""
    at: cython.Py_ssize_t = start + offset
    value: i64 = 0
    number: cint
    if offset + size > end - start:
        return -2
    for number in range(size):
        value = (value << 8) | frame[at + number]
    return value


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _compute(operation: cint, a: i64, b: i64) -> i64:
    """Arithmetic on 32-bit numbers; -2 for a division by zero."""
    if operation == 0x00:
        return (a + b) & WORD
    if operation == 0x10:
        return (a - b) & WORD
    if operation == 0x20:
        return cython.cast(i64, (cython.cast(u64, a) * cython.cast(u64, b)) & cython.cast(u64, WORD))
    if operation == 0x30 or operation == 0x90:
        if b == 0:
            return -2
        return a // b if operation == 0x30 else a % b
    if operation == 0x40:
        return a | b
    if operation == 0x50:
        return a & b
    if operation == 0x60:
        return (a << b) & WORD if b < 32 else 0
    if operation == 0x70:
        return a >> b if b < 32 else 0
    if operation == 0x80:
        return (-a) & WORD
    return a ^ b


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _holds(operation: cint, a: i64, b: i64) -> cint:
    if operation == 0x10:
        return a == b
    if operation == 0x20:
        return a > b
    if operation == 0x30:
        return a >= b
    return (a & b) != 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _run(
    program: Instruction[::1],
    frame: cython.const[u8][::1],
    start: i64,
    end: i64,
    wire_bytes: i64,
    memory: u32[::1],
) -> i64:
    """What the program returns for frame[start:end]: 0 rejects the packet."""
    pc: cython.Py_ssize_t = 0
    a: i64 = 0
    x: i64 = 0
    k: i64
    operand: i64
    kind: cint
    code: cint
    while True:
        code = program[pc].code
        k = program[pc].k
        kind = code & 0x07
        if kind == 5:
            if code == 0x05:
                pc += k
            else:
                operand = x if code & 0x08 else k
                pc += program[pc].jump_true if _holds(code & 0xF0, a, operand) else program[pc].jump_false
        elif code == 0x28:
            a = _load(frame, start, end, k, 2)
        elif code == 0x30:
            a = _load(frame, start, end, k, 1)
        elif code == 0x20:
            a = _load(frame, start, end, k, 4)
        elif code == 0x48:
            a = _load(frame, start, end, x + k, 2)
        elif code == 0x50:
            a = _load(frame, start, end, x + k, 1)
        elif code == 0x40:
            a = _load(frame, start, end, x + k, 4)
        elif code == 0xB1:
            x = _load(frame, start, end, k, 1)
            if x == -2:
                return REJECT
            x = (x & 0x0F) * 4
        elif code == 0x06:
            return k
        elif code == 0x16:
            return a
        elif kind == 4:
            a = _compute(code & 0xF0, a, x if code & 0x08 else k)
        elif code == 0x00:
            a = k
        elif code == 0x01:
            x = k
        elif code == 0x80:
            a = wire_bytes
        elif code == 0x81:
            x = wire_bytes
        elif code == 0x60:
            a = memory[k]
        elif code == 0x61:
            x = memory[k]
        elif code == 0x02:
            memory[k] = cython.cast(u32, a)
        elif code == 0x03:
            memory[k] = cython.cast(u32, x)
        elif code == 0x07:
            x = a
        else:
            a = x
        if a == -2:
            return REJECT
        pc += 1


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _match_rows(
    program: Instruction[::1],
    buf: cython.const[u8][::1],
    rows: PacketRow[::1],
    count: cython.Py_ssize_t,
    link_type: u16,
    memory: u32[::1],
    keep: u8[::1],
) -> cint:
    index: cython.Py_ssize_t
    row: cython.pointer(PacketRow)
    end: i64
    for index in range(count):
        row = cython.address(rows[index])
        if row.link_type == link_type:
            end = cython.cast(i64, row.frame_off) + row.captured
            keep[index] = _run(program, buf, row.frame_off, end, row.wire_bytes, memory) != 0
    return 0


def match_rows(program, buffer, packets, count, link_type, keep):
    """Set keep[i] to 1 or 0 for each of the first `count` rows with this link type, as the program says."""
    memory = np.zeros(16, np.uint32)
    instructions: Instruction[::1] = program
    buf: cython.const[u8][::1] = buffer
    rows: PacketRow[::1] = packets
    scratch: u32[::1] = memory
    kept: u8[::1] = keep
    number: cython.Py_ssize_t = count
    link: u16 = link_type
    with cython.nogil:
        _match_rows(instructions, buf, rows, number, link, scratch, kept)
