"""What is looked up about logins on their way to detection: places and leaked secrets, where the settings name any."""

from pathlib import Path

import msgspec

from lapwing.app.commands.leaks import read_leaks
from lapwing.detect import LookUp
from lapwing.events import AuthEvent, Circumstances
from lapwing.logins import LoginSettings, SecretTagger


def look_up(settings: LoginSettings, tagger: SecretTagger | None = None) -> LookUp | None:
    """What answers for a login; None where there is nothing to ask. Raises SettingsError.

    `tagger` is the one that tags the run's secrets: it tells the leaked ones while it has them in hand.
    """
    leaks = read_leaks(Path(settings.leaks)) if settings.leaks else None
    if leaks is not None and tagger is not None:
        tagger.watch_for(leaks)
    if not settings.places:
        return None if leaks is None or tagger is None else lambda event: _leaked(event, tagger, None)
    from lapwing.io.places import PlaceBook

    book = PlaceBook(settings.places)
    return lambda event: _leaked(event, tagger, book.look(event.client_ip))


def _leaked(event: AuthEvent, tagger: SecretTagger | None, place: Circumstances | None) -> Circumstances | None:
    leaked = None if tagger is None or event.secret_tag is None else tagger.is_leaked(event.secret_tag)
    if leaked is None:
        return place
    return msgspec.structs.replace(place or Circumstances(), secret_leaked=leaked)
