"""Sets of nftables, through `nft`: what is in them is dropped by a rule that the owner wrote."""

import re
import subprocess
from collections.abc import Iterable, Sequence
from itertools import islice

from lapwing.events import SettingsError, StoreError

TIMEOUT_S = 10  # for one call of nft
AT_ONCE = 5_000  # sources told in one call, which takes a fraction of a second
_SET = re.compile(r"(ip|ip6|inet)/([A-Za-z_][\w-]{0,30})/([A-Za-z_][\w-]{0,30})")


class NftSet:
    """Adds sources to `FAMILY/TABLE/SET` for as long as they are held; `6` behind the name is the set for IPv6.

    The sets have flags `timeout` and `interval`, so that a decision ends there by itself also when nobody lifts it:

        nft add table inet lapwing
        nft add set inet lapwing blocked '{ type ipv4_addr; flags timeout, interval; }'
        nft add set inet lapwing blocked6 '{ type ipv6_addr; flags timeout, interval; }'
    """

    def __init__(self, name: str, command: Sequence[str] = ("nft",)) -> None:
        """Raise SettingsError for a name that is none."""
        match = _SET.fullmatch(name)
        if match is None:
            raise SettingsError(f"--nft-set: {name!r} is not FAMILY/TABLE/SET such as inet/lapwing/blocked")
        self._family, self._table, self._set = match.groups()
        self._command = [*command, "-f", "-"]

    def hold(self, held: Iterable[tuple[str, int]]) -> None:
        """Hold sources for so many seconds each. Raises StoreError with what nft says."""
        self._run(
            f"{self._gone(source)}add {self._element(source)} {{ {source} timeout {seconds}s }}\n"
            for source, seconds in held
        )

    def let_go(self, sources: Iterable[str]) -> None:
        """Hold sources no longer, whether they are held or not. Raises StoreError with what nft says."""
        self._run(self._gone(source) for source in sources)

    def _gone(self, source: str) -> str:
        """Added and deleted: an element that is there keeps its old timeout, and one that is not cannot be deleted."""
        element = self._element(source)
        return f"add {element} {{ {source} timeout 1s }}\ndelete {element} {{ {source} }}\n"

    def _element(self, source: str) -> str:
        return f"element {self._family} {self._table} {self._set}{'6' if ':' in source else ''}"

    def _run(self, commands: Iterable[str]) -> None:
        waiting = iter(commands)
        while script := "".join(islice(waiting, AT_ONCE)):
            self._tell(script)

    def _tell(self, script: str) -> None:
        try:
            done = subprocess.run(  # noqa: S603 - addresses come from a parser, names were checked
                self._command, input=script, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StoreError(f"nft: {error}") from error
        if done.returncode:
            raise StoreError(f"nft: {done.stderr.strip()[:500]}")
