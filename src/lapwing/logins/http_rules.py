"""What the settings say of HTTP logins, in the form requests are compared with."""

from typing import NamedTuple

from lapwing.logins.endpoints import Endpoints, compiled
from lapwing.logins.http_names import FieldNames, field_names
from lapwing.logins.settings import LoginSettings


class HttpRules(NamedTuple):
    """The surfaces and field names of one settings object."""

    settings: LoginSettings
    endpoints: Endpoints
    names: FieldNames


def _compiled(settings: LoginSettings) -> HttpRules:
    names = field_names(settings.username_fields, settings.secret_fields)
    return HttpRules(settings, compiled(settings.endpoints), names)


_latest = _compiled(LoginSettings())  # those asked for last: hashing all names again would cost more than a request


def rules_of(settings: LoginSettings) -> HttpRules:
    """Return the rules of `settings`."""
    global _latest
    rules = _latest
    if rules.settings is not settings:
        rules = _latest = _compiled(settings)
    return rules
