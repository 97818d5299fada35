"""Packet filters: classic BPF programs, their interpreter, and a compiler for the common expressions."""

from lapwing.wire._select import match_rows
from lapwing.wire.filter.codegen import compile_filter
from lapwing.wire.filter.expression import FilterError
from lapwing.wire.filter.program import INSTRUCTION_DTYPE, Instruction, program_of

__all__ = ["INSTRUCTION_DTYPE", "FilterError", "Instruction", "compile_filter", "match_rows", "program_of"]
