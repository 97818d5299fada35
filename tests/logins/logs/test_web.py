"""What an access log tells of a login, and what it does not."""

from lapwing.events import Outcome
from lapwing.logins.logs import LogSettings, Miss

from .reading import login, logins, miss


def line(status: int, path: str = "/login", client: str = "192.0.2.7", rest: str = "", second: int = 0) -> str:
    stamp = f"[01/May/2026:10:00:{second:02d} +0000]"
    return f'{client} - - {stamp} "POST {path} HTTP/1.1" {status} 12 "-" "curl/8"{rest}'


def outcomes(*lines: str, logs: LogSettings | None = None) -> list[Outcome]:
    return [event.outcome for event in logins("combined", *lines, logs=logs)]


def test_a_page_alone_proves_nothing() -> None:
    assert outcomes(line(200)) == [Outcome.UNKNOWN]


def test_a_redirect_alone_proves_nothing() -> None:
    assert outcomes(line(302)) == [Outcome.UNKNOWN]


def test_where_a_surface_refuses_by_status_its_pages_are_successes() -> None:
    assert outcomes(line(401), line(200)) == [Outcome.FAILED, Outcome.SUCCEEDED]


def test_where_a_surface_shows_pages_its_redirects_are_successes() -> None:
    assert outcomes(line(200), line(302), line(200)) == [Outcome.UNKNOWN, Outcome.SUCCEEDED, Outcome.FAILED]


def test_widespread_software_is_known() -> None:
    assert outcomes(line(200, "/wp-login.php"), line(302, "/wp-login.php")) == [Outcome.FAILED, Outcome.SUCCEEDED]


def test_the_owner_can_say_what_a_status_means() -> None:
    logs = LogSettings(outcomes=("POST /login 200 failed", "POST /login 302 succeeded"))
    assert outcomes(line(200), line(302), logs=logs) == [Outcome.FAILED, Outcome.SUCCEEDED]


def test_errors_of_the_server_are_no_failures() -> None:
    assert outcomes(line(500), line(502)) == [Outcome.UNKNOWN, Outcome.UNKNOWN]


def test_a_refused_page_that_is_no_login_surface_is_no_login() -> None:
    assert miss("combined", line(401, "/api/items")) is Miss.OTHER


def test_the_first_request_without_credentials_is_no_login() -> None:
    assert miss("combined", '192.0.2.7 - - [01/May/2026:10:00:00 +0000] "GET /admin HTTP/1.1" 401 12') is Miss.OTHER


def test_spellings_of_a_path_are_one_surface() -> None:
    found = logins(
        "combined", *(line(401, path) for path in ("/login", "/Login/?x=1", "//login", "/%6cogin", "/a/../login"))
    )
    assert {event.endpoint for event in found} == {"POST /login"}


def test_a_proxy_is_believed_only_when_it_is_trusted() -> None:
    forwarded = ' "198.51.100.9, 203.0.113.5, 10.0.0.2"'
    logs = LogSettings(trusted_proxies=("10.0.0.0/8",))
    assert login("combined", line(401, client="10.0.0.1", rest=forwarded), logs=logs).client_ip == "203.0.113.5"
    assert login("combined", line(401, client="192.0.2.7", rest=forwarded), logs=logs).client_ip == "192.0.2.7"
    assert login("combined", line(401, client="10.0.0.1", rest=forwarded)).client_ip == "10.0.0.1"


def test_basic_credentials_that_come_with_every_request_are_one_login_an_hour() -> None:
    def request(hour: int) -> str:
        return f'192.0.2.7 - bob [01/May/2026:{hour:02d}:00:00 +0000] "GET /x HTTP/1.1" 200 12'

    assert len(logins("combined", request(10), request(10), request(11), request(13))) == 2
