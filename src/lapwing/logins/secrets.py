"""Keyed tags that stand for secrets."""

from hashlib import blake2b

TAG_BYTES = 8  # enough to tell equal secrets of one run from unequal ones; too short and keyed to attack offline


class SecretTagger:
    """Tags secrets under a key that lives for one run, so equal secrets can be seen as equal and nothing else."""

    def __init__(self, key: bytes) -> None:
        """`key` has 16 to 64 bytes."""
        self._key = key

    def tag(self, secret: bytes | str) -> str:
        """Return the tag of `secret` as hex."""
        data = secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
        return blake2b(data, key=self._key, digest_size=TAG_BYTES).hexdigest()
