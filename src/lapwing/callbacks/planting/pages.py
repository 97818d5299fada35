"""Things for pages and mails: addresses, web bugs, images, snippets that notice a copied site."""

from html import escape
from io import BytesIO
from json import dumps

from lapwing.callbacks.planting.names import Artefact, Grain, Names, Wishes
from lapwing.callbacks.responders.http_answers import HttpAnswer
from lapwing.events import SettingsError

# The smallest transparent picture: GIF 89a, one pixel.
PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
PICTURE = HttpAnswer(headers=(("Content-Type", "image/gif"), ("Cache-Control", "no-store")), body=PIXEL)
MAX_TARGET_CHARS = 2048


def url(names: Names, wishes: Wishes, grain: Grain) -> Artefact:  # noqa: ARG001 - all kinds are made alike
    """An address."""
    return Artefact(names.url("/"))


def dns_name(names: Names, wishes: Wishes, grain: Grain) -> Artefact:  # noqa: ARG001
    """A host name: asking for it is enough."""
    return Artefact(names.host)


def mail_address(names: Names, wishes: Wishes, grain: Grain) -> Artefact:  # noqa: ARG001
    """A mail address."""
    return Artefact(names.mail_address)


def web_bug(names: Names, wishes: Wishes, grain: Grain) -> Artefact:  # noqa: ARG001
    """A picture of one pixel for a page or a mail."""
    tag = f'<img src="{escape(names.url("/pixel.gif"))}" width="1" height="1" alt="">'
    page = f"<!DOCTYPE html>\n<title>{escape(wishes.title or 'Notes')}</title>\n{tag}\n"
    return Artefact(tag, "bug.html", page.encode(), PICTURE)


def redirect(names: Names, wishes: Wishes, grain: Grain) -> Artefact:  # noqa: ARG001
    """An address that leads on to another. Raises SettingsError without a target."""
    target = wishes.target
    plain = target.isascii() and target.isprintable() and " " not in target and len(target) <= MAX_TARGET_CHARS
    if not plain or not target.startswith(("http://", "https://")):
        raise SettingsError("--target: give the http or https address the redirect leads to")
    return Artefact(names.url("/"), answer=HttpAnswer(302, (("Location", target), ("Cache-Control", "no-store"))))


def qr_code(names: Names, wishes: Wishes, grain: Grain) -> Artefact:  # noqa: ARG001
    """A QR code of the address, as a picture. Raises SettingsError when the library that draws it is missing."""
    try:
        import segno
    except ImportError:
        raise SettingsError("a QR code needs segno: pip install 'lapwing[callbacks]'") from None
    picture = BytesIO()
    segno.make(names.url("/"), micro=False).save(picture, kind="png", scale=8, border=4)
    return Artefact(names.url("/"), "code.png", picture.getvalue())


def svg(names: Names, wishes: Wishes, grain: Grain) -> Artefact:  # noqa: ARG001
    """A drawing that fetches a part of itself."""
    link = escape(names.url("/logo.png"))
    text = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="320" height="80">\n'
        f'<text x="16" y="48" font-family="sans-serif">{escape(wishes.title or "Draft")}</text>\n'
        f'<image x="0" y="0" width="1" height="1" href="{link}" xlink:href="{link}"/>\n</svg>\n'
    )
    return Artefact(names.url("/"), "logo.svg", text.encode(), PICTURE)


def cloned_site(names: Names, wishes: Wishes, grain: Grain) -> Artefact:  # noqa: ARG001
    """A script for a page of one's own that calls when the page is shown anywhere else."""
    site = _site(wishes)
    script = (
        f"<script>\n(function () {{\n  var own = {_script_text(site)}, here = location.hostname.toLowerCase();\n"
        '  if (here === own || here.slice(-own.length - 1) === "." + own) return;\n'
        f"  new Image().src = {_script_text(names.url('/copied.gif'))} +\n"
        '    "?at=" + encodeURIComponent(location.href) + "&from=" + encodeURIComponent(document.referrer);\n'
        "})();\n</script>\n"
    )
    return Artefact(script, "snippet.html", script.encode(), PICTURE)


def cloned_css(names: Names, wishes: Wishes, grain: Grain) -> Artefact:  # noqa: ARG001
    """A rule for a style sheet: a picture every visitor fetches. Hits whose Referer is the own site mean nothing."""
    site = _site(wishes)
    rule = f'body::after {{ content: ""; background: url("{names.url("/border.gif")}?site={site}"); }}\n'
    return Artefact(rule, "snippet.css", rule.encode(), PICTURE)


def _site(wishes: Wishes) -> str:
    """Raises SettingsError for what is no host name."""
    site = wishes.site.lower().rstrip(".")
    labels = site.split(".")
    if len(labels) < 2 or not all(label and label.isascii() and label.replace("-", "").isalnum() for label in labels):
        raise SettingsError("--site: give the host name of the page that is watched, e.g. www.example.com")
    return site


def _script_text(text: str) -> str:
    """A string within a script element, which no text may end."""
    return dumps(text).replace("<", "\\u003c")
