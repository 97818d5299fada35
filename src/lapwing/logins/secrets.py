"""Keyed tags that stand for secrets."""

from hashlib import blake2b

from lapwing.logins.leaked import LeakFilter

MAX_LEAKED = 65_536  # tags of leaked secrets in each of two sets: the older goes when the younger is full
TAG_BYTES = 8  # enough to tell equal secrets of one run from unequal ones; too short and keyed to attack offline


class SecretTagger:
    """Tags secrets under a key that lives for one run, so equal secrets can be seen as equal and nothing else."""

    def __init__(self, key: bytes) -> None:
        """`key` has 16 to 64 bytes."""
        self._key = key
        self._leaks: LeakFilter | None = None
        self._leaked: set[str] = set()
        self._leaked_before: set[str] = set()

    def tag(self, secret: bytes | str) -> str:
        """Return the tag of `secret` as hex."""
        data = secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
        tag = blake2b(data, key=self._key, digest_size=TAG_BYTES).hexdigest()
        if self._leaks is not None and self._leaks.has(data):
            if len(self._leaked) >= MAX_LEAKED:
                self._leaked_before, self._leaked = self._leaked, set()
            self._leaked.add(tag)
        return tag

    def watch_for(self, leaks: LeakFilter | None) -> None:
        """From now on, remember which tags stand for leaked secrets; for none with None."""
        self._leaks = leaks

    def is_leaked(self, tag: str) -> bool | None:
        """Whether the secret of a tag made here is a leaked one; None where nothing was watched for."""
        return None if self._leaks is None else tag in self._leaked or tag in self._leaked_before
