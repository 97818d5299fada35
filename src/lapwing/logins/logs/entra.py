"""Microsoft Entra sign-in logs, as exported by the portal or Graph, or by diagnostic settings."""

from typing import Any

from lapwing.events import Outcome
from lapwing.logins.logs.context import host_port
from lapwing.logins.logs.contract import LogFormat, Miss, Reading
from lapwing.logins.logs.documents import DocumentLines, decoded, inside, number, text

# https://learn.microsoft.com/entra/identity-platform/reference-error-codes; what is not here is unknown
_CODES = {
    0: Outcome.SUCCEEDED,
    50034: Outcome.FAILED,  # no such user
    50053: Outcome.LOCKED,  # smart lockout, or a malicious address
    50055: Outcome.CHALLENGED,  # right, but expired
    50056: Outcome.FAILED,
    50057: Outcome.LOCKED,  # disabled
    50064: Outcome.FAILED,
    50072: Outcome.CHALLENGED,  # these want a second factor, right password given
    50074: Outcome.CHALLENGED,
    50076: Outcome.CHALLENGED,
    50079: Outcome.CHALLENGED,
    50126: Outcome.FAILED,  # wrong name or password
    50144: Outcome.CHALLENGED,
    50158: Outcome.CHALLENGED,
    51004: Outcome.FAILED,
    53003: Outcome.CHALLENGED,  # right, but conditional access said no
    70043: Outcome.UNKNOWN,
    500121: Outcome.CHALLENGED,  # second factor failed
}


class EntraLines(DocumentLines):
    """Reads one sign-in a line; see LineReader."""

    __slots__ = ()

    def take(self, document: dict[str, Any]) -> Reading:
        """See DocumentLines."""
        sign_in = inside(document, "properties") or document
        status = inside(sign_in, "status")
        code = number(status, "errorCode")
        if code is None:
            code = number(document, "resultType")
        name = text(sign_in, "userPrincipalName")
        if code is None or not name:
            return Miss.OTHER if "category" in document else Miss.FOREIGN
        ts_ns = self._clock.any(text(sign_in, "createdDateTime") or text(document, "time", "createdDateTime"))
        if ts_ns is None:
            return Miss.NO_TIME
        client_ip, client_port = host_port(text(sign_in, "ipAddress") or text(document, "callerIpAddress"))
        if client_ip is None:
            return Miss.NO_ADDRESS
        return self._context.login(
            ts_ns,
            "entra",
            text(sign_in, "authenticationProtocol").lower() or "password",
            client_ip,
            _CODES.get(code, Outcome.UNKNOWN),
            f"error code {code}",
            username=name,
            client_port=client_port,
            confidence=1.0 if code in _CODES else 0.0,
            user_agent=text(sign_in, "userAgent") or None,
        )


def _recognises(line: str) -> bool:
    document = decoded(line)
    if document is None:
        return False
    sign_in = inside(document, "properties") or document
    return "userPrincipalName" in sign_in and ("status" in sign_in or "resultType" in document)


ENTRA = LogFormat("entra", "Microsoft Entra sign-in logs", _recognises, EntraLines)
