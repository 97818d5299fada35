"""Classic BPF programs: what an instruction is, and which programs may be run."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_INSTRUCTIONS = 4_096  # the limit of the Linux kernel
MEMORY_WORDS = 16

INSTRUCTION_DTYPE = np.dtype([("code", "<u2"), ("jump_true", "u1"), ("jump_false", "u1"), ("k", "<u4")], align=True)

RETURNS = frozenset({0x06, 0x16})
JUMP = 0x05
CONDITIONS = frozenset({0x15, 0x1D, 0x25, 0x2D, 0x35, 0x3D, 0x45, 0x4D})
MEMORY_CODES = frozenset({0x60, 0x61, 0x02, 0x03})
ARITHMETIC = frozenset(operation | source | 4 for operation in range(0, 0xB0, 0x10) for source in (0, 8)) - {0x8C}
OTHERS = frozenset({0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x00, 0x80, 0x01, 0x81, 0xB1, 0x07, 0x87})


class Instruction(NamedTuple):
    """One instruction; jumps count from the next one."""

    code: int
    jump_true: int
    jump_false: int
    k: int


def program_of(instructions: Sequence[Instruction]) -> NDArray[np.void]:
    """The program as the interpreter takes it. ValueError when it might not end or leave its bounds.

    The rules are the kernel's: known instructions, jumps only forward and inside, the last one returns.
    """
    size = len(instructions)
    if not 0 < size <= MAX_INSTRUCTIONS:
        raise ValueError(f"a filter program has 1 to {MAX_INSTRUCTIONS} instructions, not {size}")
    if instructions[-1].code not in RETURNS:
        raise ValueError("the last instruction of a filter program must return")
    for number, instruction in enumerate(instructions):
        fault = _fault(instruction, size - number - 1)
        if fault:
            raise ValueError(f"instruction {number} of the filter program {fault}")
    return np.array(list(instructions), INSTRUCTION_DTYPE)


def _fault(instruction: Instruction, left: int) -> str:
    code = instruction.code
    if code == JUMP:
        return "jumps outside or back" if instruction.k >= left else ""
    if code in CONDITIONS:
        return "jumps outside" if max(instruction.jump_true, instruction.jump_false) >= left else ""
    if code in MEMORY_CODES:
        return "names no memory word" if instruction.k >= MEMORY_WORDS else ""
    if code in RETURNS or code in ARITHMETIC or code in OTHERS:
        return ""
    return f"is unknown: {code:#x}"
