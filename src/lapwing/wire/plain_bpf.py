"""The interpreter of classic BPF programs in plain Python: what `hot_bpf` computes, written to be read.

The machine: https://www.tcpdump.org/papers/bpf-usenix93.pdf
"""

from typing import Any

import numpy as np

MEMORY_WORDS = 16  # M[] of the machine
WORD = 0xFFFFFFFF

_SIZES = {0x00: 4, 0x08: 2, 0x10: 1}


class _Reject(Exception):  # noqa: N818 - the program met the end of the packet or divided by zero
    pass


def match_rows(program: Any, buffer: Any, packets: Any, count: int, link_type: int, keep: Any) -> None:
    """Set keep[i] to 1 or 0 for each of the first `count` rows with this link type, as the program says."""
    instructions = program.tolist()
    memory = [0] * MEMORY_WORDS
    data = memoryview(buffer)
    columns = [
        np.asarray(packets)[name][:count].tolist() for name in ("link_type", "frame_off", "captured", "wire_bytes")
    ]
    for index, (link, offset, captured, wire_bytes) in enumerate(zip(*columns, strict=True)):
        if link == link_type:
            keep[index] = run(instructions, data[offset : offset + captured], wire_bytes, memory) != 0


def run(program: list[tuple[int, int, int, int]], frame: memoryview, wire_bytes: int, memory: list[int]) -> int:
    """What the program returns for one frame: 0 rejects it."""
    machine = _Machine(frame, wire_bytes, memory)
    pc = 0
    try:
        while True:
            code, jump_true, jump_false, k = program[pc]
            kind = code & 0x07
            if kind == 6:
                return machine.a if code == 0x16 else k
            if kind == 5:
                pc += k if code == 0x05 else jump_true if machine.holds(code, k) else jump_false
            else:
                machine.step(kind, code, k)
            pc += 1
    except _Reject:
        return 0


class _Machine:
    def __init__(self, frame: memoryview, wire_bytes: int, memory: list[int]) -> None:
        self.a = self.x = 0
        self._frame = frame
        self._wire_bytes = wire_bytes
        self._memory = memory

    def holds(self, code: int, k: int) -> bool:
        """A conditional jump's condition."""
        operand = self.x if code & 0x08 else k
        operation = code & 0xF0
        if operation == 0x10:
            return self.a == operand
        if operation == 0x20:
            return self.a > operand
        if operation == 0x30:
            return self.a >= operand
        return self.a & operand != 0

    def step(self, kind: int, code: int, k: int) -> None:
        """Any instruction that neither jumps nor returns."""
        if kind == 0:
            self.a = self._value(code, k)
        elif kind == 1:
            self.x = (self._load(k, 1) & 0x0F) * 4 if code == 0xB1 else self._value(code, k)
        elif kind == 2:
            self._memory[k] = self.a
        elif kind == 3:
            self._memory[k] = self.x
        elif kind == 4:
            self.a = _compute(code & 0xF0, self.a, self.x if code & 0x08 else k)
        elif code == 0x07:
            self.x = self.a
        else:
            self.a = self.x

    def _value(self, code: int, k: int) -> int:
        mode = code & 0xE0
        if mode == 0x00:
            return k
        if mode == 0x60:
            return self._memory[k]
        if mode == 0x80:
            return self._wire_bytes
        return self._load(k + self.x if mode == 0x40 else k, _SIZES[code & 0x18])

    def _load(self, offset: int, size: int) -> int:
        if offset + size > len(self._frame):
            raise _Reject
        return int.from_bytes(self._frame[offset : offset + size], "big")


def _compute(operation: int, a: int, b: int) -> int:
    """Arithmetic on 32-bit numbers."""
    if operation in {0x30, 0x90} and b == 0:
        raise _Reject
    if operation in {0x60, 0x70} and b >= 32:
        return 0
    results = {
        0x00: lambda: a + b,
        0x10: lambda: a - b,
        0x20: lambda: a * b,
        0x30: lambda: a // b,
        0x40: lambda: a | b,
        0x50: lambda: a & b,
        0x60: lambda: a << b,
        0x70: lambda: a >> b,
        0x80: lambda: -a,
        0x90: lambda: a % b,
        0xA0: lambda: a ^ b,
    }
    return results[operation]() & WORD
