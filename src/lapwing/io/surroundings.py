"""What is looked up about logins on their way to detection: places and leaked secrets, where the settings name any."""

from pathlib import Path

import msgspec

from lapwing.detect import LookUp
from lapwing.events import AuthEvent, Circumstances, SettingsError
from lapwing.io.places import PlaceBook
from lapwing.logins import LeakFilter, LoginSettings, SecretTagger, load_leaks


def look_up(settings: LoginSettings, tagger: SecretTagger) -> LookUp | None:
    """What answers for a login; None where there is nothing to ask. Raises SettingsError.

    `tagger` is the one that tags the run's secrets: it tells the leaked ones while it has them in hand.
    """
    leaks = read_leaks(Path(settings.leaks)) if settings.leaks else None
    book = PlaceBook(settings.places) if settings.places else None
    tagger.watch_for(leaks)
    if book is not None:
        return lambda event: _leaked(event, tagger, book.look(event.client_ip))
    return (lambda event: _leaked(event, tagger, None)) if settings.leaks else None


def is_looked_up_otherwise(before: LoginSettings, after: LoginSettings) -> bool:
    """Whether these settings name other files to look into."""
    return (before.places, before.leaks) != (after.places, after.leaks)


def read_leaks(path: Path) -> LeakFilter:
    """The filter in a file. Raises SettingsError."""
    try:
        return load_leaks(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from None


def _leaked(event: AuthEvent, tagger: SecretTagger, place: Circumstances | None) -> Circumstances | None:
    leaked = None if event.secret_tag is None else tagger.is_leaked(event.secret_tag)
    if leaked is None:
        return place
    return msgspec.structs.replace(place or Circumstances(), secret_leaked=leaked)
