"""The kinds of planted things, by the name people type."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Final, NamedTuple

from lapwing.callbacks.planting.configuration import cloud_credentials, env_file, kubeconfig, sql_dump, windows_folder
from lapwing.callbacks.planting.documents import excel, pdf, word
from lapwing.callbacks.planting.names import Artefact, Grain, Names, Wishes
from lapwing.callbacks.planting.pages import (
    cloned_css,
    cloned_site,
    dns_name,
    mail_address,
    qr_code,
    redirect,
    svg,
    url,
    web_bug,
)
from lapwing.events import SettingsError

Make = Callable[[Names, Wishes, Grain], Artefact]


class Kind(NamedTuple):
    """One kind: what makes it, what calls back by it, the word for it in events, whether its text alone is no use."""

    make: Make
    fires_on: str
    event_kind: str = "url"
    is_file: bool = False


# A configuration for WireGuard is not among them: no listener here answers its handshake, so nobody would hear of it.
KINDS: Final[dict[str, Kind]] = {
    "url": Kind(url, "anybody who opens the address"),
    "dns": Kind(dns_name, "anybody who looks the name up; the sender is then a resolver", "name"),
    "mail": Kind(mail_address, "a mail to the address", "mail-address"),
    "web-bug": Kind(web_bug, "a browser or mail program that shows pictures"),
    "redirect": Kind(redirect, "anybody who opens the address; they are led on to the target"),
    "qr-code": Kind(qr_code, "anybody who scans the code and opens what it says", is_file=True),
    "svg": Kind(svg, "a browser that opens the drawing by itself; not as a picture within a page", is_file=True),
    "cloned-site": Kind(cloned_site, "a browser that shows a copy of the page elsewhere"),
    "cloned-css": Kind(cloned_css, "every browser that shows the page: look at the Referer of hits"),
    "word": Kind(word, "Word and LibreOffice, once links may be loaded", is_file=True),
    "excel": Kind(excel, "Excel and LibreOffice, once links may be loaded", is_file=True),
    "pdf": Kind(pdf, "a viewer that follows the address on opening, most after asking; or a click", is_file=True),
    "kubeconfig": Kind(kubeconfig, "kubectl and other clients that use it"),
    "env": Kind(env_file, "whoever tries one of its services: the names alone are enough", "name"),
    "cloud-credentials": Kind(cloud_credentials, "the aws command and SDKs that use the profile"),
    "sql-dump": Kind(sql_dump, "a MySQL or MariaDB server that loads it, with the right to replicate", "name"),
    "windows-folder": Kind(windows_folder, "Explorer showing the unpacked folder", "name", is_file=True),
}


def plant(kind: str, names: Names, *, entropy: bytes, wishes: Wishes | None = None) -> Artefact:
    """Make one thing to plant. `entropy` has at least 16 fresh random bytes.

    Raises SettingsError for an unknown kind or a wish that is missing.
    """
    known = KINDS.get(kind)
    if known is None:
        raise no_kind(kind, KINDS)
    return known.make(names, wishes or Wishes(), Grain(entropy))


def no_kind(kind: str, known: Iterable[str]) -> SettingsError:
    """What to say of a word that is no kind, with the one that may have been meant."""
    names = list(known)
    close = get_close_matches(kind, names, n=1)
    if close:
        return SettingsError(f"no kind {kind!r}; did you mean {close[0]}?")
    return SettingsError(f"no kind {kind!r}; there are {', '.join(names)}")
