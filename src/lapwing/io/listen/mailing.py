"""One mail to one address over SMTP: by TLS unless it was switched off, and no password without."""

import smtplib
import ssl
from email.message import EmailMessage

from lapwing.callbacks.alerts import Tripped
from lapwing.io.listen.settings import IMPLICIT_TLS_PORT, AlertSettings


def send_mail(settings: AlertSettings, tls: ssl.SSLContext, address: str, alert: Tripped) -> None:
    """Hand an alert to the mail server. Raises OSError that says in a line why it was not taken.

    `smtplib` offers a login's password by the best mechanism both sides know: CRAM-MD5, PLAIN or LOGIN (RFC 4954).
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.mail_from, address, alert.subject
    message.set_content(alert.text)
    try:
        with _connected(settings, tls) as server:
            if settings.mail_user:
                server.login(settings.mail_user, settings.mail_password)
            server.send_message(message)
    except smtplib.SMTPException as problem:
        raise OSError(_reason(problem)) from None
    except ssl.SSLCertVerificationError as problem:
        raise OSError(
            f"the mail server's certificate is not trusted: {problem.verify_message}; name its CA as ca_file"
        ) from None


def _connected(settings: AlertSettings, tls: ssl.SSLContext) -> smtplib.SMTP:
    """A connection, over TLS where a password is to be said. RFC 8314 has port 465 speak TLS from the start."""
    host, port = settings.mail_place
    if not settings.mail_tls:
        return smtplib.SMTP(host, port, timeout=settings.timeout_s)
    if port == IMPLICIT_TLS_PORT:
        return smtplib.SMTP_SSL(host, port, timeout=settings.timeout_s, context=tls)
    server = smtplib.SMTP(host, port, timeout=settings.timeout_s)
    try:
        server.starttls(context=tls)
    except BaseException:
        server.close()
        raise
    return server


def _reason(problem: smtplib.SMTPException) -> str:
    """What happened, and what the server said of it."""
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(problem.recipients.values()))
        return f"the mail server refused the recipient: {code} {_line(said)}"
    if isinstance(problem, smtplib.SMTPAuthenticationError):
        answer = f"{problem.smtp_code} {_line(problem.smtp_error)}"
        return f"the mail server refused the login (mail_user, mail_password): {answer}"
    if isinstance(problem, smtplib.SMTPResponseException):
        return f"the mail server answered {problem.smtp_code} {_line(problem.smtp_error)}"
    if isinstance(problem, smtplib.SMTPNotSupportedError):
        return f"{problem}".rstrip(".") + "; without TLS nothing is sent (mail_tls), and no password ever"
    return str(problem) or type(problem).__name__


def _line(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())
