"""What changed between versions of interactsh. There is no version field: a listener is told which one to speak."""

from enum import StrEnum

import msgspec


class CipherMode(StrEnum):
    """How entries are encrypted under the session's AES-256 key; the 16 bytes of IV stand before them."""

    CTR = "ctr"  # since 1.3.0; the counter block is the IV, 128 bits, big-endian
    CFB = "cfb"  # CFB-128, to 1.2.4


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The collector's side of one interactsh generation.

    `https_name` says whether requests over TLS are called `https` or plainly `http`;
    `quoted_reason` whether the reason for a lost session stands in `cause="..."`;
    `newline` whether a line end follows each entry inside its encryption.
    """

    mode: CipherMode = CipherMode.CTR
    https_name: bool = True
    quoted_reason: bool = True
    newline: bool = False


V1_2_4 = Dialect(CipherMode.CFB, https_name=False, quoted_reason=False, newline=True)
V1_3_0 = Dialect(CipherMode.CTR, https_name=False, quoted_reason=True, newline=True)
V1_3_1 = Dialect()
