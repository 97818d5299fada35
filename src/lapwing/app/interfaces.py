"""Readings of an interface instead of captures."""

from collections.abc import Collection

from lapwing.app.paths import Paths
from lapwing.io.capture import InterfaceSource, LiveSettings, open_live


def opened_interface(
    interface: str | None,
    paths: Collection[Paths],
    settings: LiveSettings | None,
    *,
    filter: str | None,  # noqa: A002 - the word every capture tool uses
    verify_checksums: bool,
    tunnel_depth: int,
) -> InterfaceSource | None:
    """The interface to read, None where it is `paths`. Raises ValueError where both are named, and as `open_live`."""
    if interface is None:
        return None
    if paths:
        raise ValueError("either captures or an interface, not both")
    return open_live(
        interface, settings=settings, filter=filter, verify_checksums=verify_checksums, tunnel_depth=tunnel_depth
    )
