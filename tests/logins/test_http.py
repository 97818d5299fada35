"""Logins over HTTP."""

import gzip
import itertools
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import AuthAttempted, AuthEvent, AuthEvidence, AuthResolved, Outcome
from lapwing.logins import LoginContext, LoginSettings, adapter_for
from lapwing.logins.http import MAX_PENDING, HttpLogins
from lapwing.protocols.http import HttpParser
from tests.logins.lines import KEY, TAGGER, check_pairs, published, text
from tests.protocols.playbook import SIZES, Step, any_steps, client, closes, cut, play_logins, server

FORM = "application/x-www-form-urlencoded"
SECRET = "Correct-Horse-9"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def post(body: bytes | str, path: str = "/login", kind: str = FORM, *, method: str = "POST", extra: str = "") -> Step:
    body = body.encode() if isinstance(body, str) else body
    head = f"{method} {path} HTTP/1.1\r\nHost: example.com\r\nUser-Agent: browser/1\r\n"
    head += f"{extra}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return client(head.encode() + body)


def get(path: str, extra: str = "") -> Step:
    return client(f"GET {path} HTTP/1.1\r\nHost: example.com\r\n{extra}\r\n".encode())


def basic(user: str, secret: str, path: str = "/private/a") -> Step:
    return get(path, f"Authorization: Basic {b64encode(f'{user}:{secret}'.encode()).decode()}\r\n")


def reply(status: int, body: bytes | str = b"", *headers: str) -> Step:
    body = body.encode() if isinstance(body, str) else body
    lines = "".join(f"{header}\r\n" for header in headers)
    return server(f"HTTP/1.1 {status} Reason\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body)


def fresh_adapter(settings: LoginSettings | None = None) -> HttpLogins:
    ids = itertools.count(1)
    adapter = adapter_for("http", LoginContext(KEY, settings or LoginSettings(), TAGGER, lambda: next(ids)))
    assert isinstance(adapter, HttpLogins)
    return adapter


def logins(*steps: Step, settings: LoginSettings | None = None) -> list[AuthEvent]:
    events = play_logins(HttpParser(), fresh_adapter(settings), *steps)
    check_pairs(events)
    listener = fresh_adapter(settings)
    assert play_logins(HttpParser(listener), listener, *steps) == events
    return events


def attempts(*steps: Step, settings: LoginSettings | None = None) -> list[AuthAttempted]:
    return [event for event in logins(*steps, settings=settings) if isinstance(event, AuthAttempted)]


def outcomes(*steps: Step) -> list[AuthResolved]:
    return [event for event in logins(*steps) if isinstance(event, AuthResolved)]


LOGIN = post(f"username=ana&password={SECRET}")


def test_a_form_login_is_an_attempt_at_the_request_and_an_outcome_at_the_response() -> None:
    attempt, outcome = logins(LOGIN, reply(302, b"", "Location: /home", "Set-Cookie: sessionid=x"))
    assert isinstance(attempt, AuthAttempted)
    assert isinstance(outcome, AuthResolved)
    assert (attempt.protocol, attempt.mechanism, attempt.endpoint) == ("http", "form", "POST /login")
    assert (attempt.username, attempt.secret_tag) == ("ana", TAGGER.tag(SECRET))
    assert (attempt.client_ip, attempt.server_port, attempt.user_agent) == ("192.0.2.10", 21, "browser/1")
    assert (attempt.ts_ns, outcome.ts_ns, outcome.attempted_ts_ns) == (0, 1, 0)
    assert (outcome.outcome, outcome.evidence) == (Outcome.SUCCEEDED, AuthEvidence.SERVER_REPLY)
    assert outcome.confidence > 0.9
    assert outcome.detail == "redirect elsewhere with session cookie"


@pytest.mark.parametrize(
    ("step", "mechanism", "endpoint", "username"),
    [
        (
            post("log=Ana%40Example.com&pwd=Correct-Horse-9", "/wp-login.php"),
            "form",
            "POST /wp-login.php",
            "ana@example.com",
        ),
        (
            post("user%5Blogin%5D=ana&user[password]=Correct-Horse-9", "/users/sign_in"),
            "form",
            "POST /users/sign_in",
            "ana",
        ),
        (post("j_username=ana&j_password=Correct-Horse-9", "/app/do"), "form", "POST /app/do", "ana"),
        (post("ctl00$Main$UserName=ana&ctl00$Main$Password=Correct-Horse-9", "/x.aspx"), "form", "POST /x.aspx", "ana"),
        (post("name=ana&pass=Correct-Horse-9&form_id=user_login", "/node"), "form", "POST /node", "ana"),
        (
            post('{"email":"ana","password":"Correct-Horse-9"}', "/api/v3/login", "application/json"),
            "json",
            "POST /api/{version}/login",
            "ana",
        ),
        (
            post('{"d":{"v":[{"user":"ana","pass":"Correct-Horse-9"}]}}', "/graphql", "application/json"),
            "json",
            "POST /graphql",
            "ana",
        ),
        (post('{"user":"ana","password":"Correct-Horse-9"}', "/in", "text/plain"), "json", "POST /in", "ana"),
        (post("password=Correct-Horse-9", "/login"), "form", "POST /login", None),
        (get("/vuln/brute/?username=ana&password=Correct-Horse-9&Login=Login"), "form", "GET /vuln/brute", "ana"),
        (
            post("grant_type=password&username=ana&password=Correct-Horse-9", "/oauth/token"),
            "oauth-password",
            "POST /oauth/token",
            "ana",
        ),
        (
            post("grant_type=client_credentials&client_id=ana&client_secret=Correct-Horse-9", "/t"),
            "oauth-client",
            "POST /t",
            "ana",
        ),
        (basic("ana", "Correct-Horse-9"), "basic", "basic /private", "ana"),
        (
            post(
                b'--b1\r\nContent-Disposition: form-data; name="username"\r\n\r\nana\r\n'
                b'--b1\r\nContent-Disposition: form-data; name="password"\r\n\r\nCorrect-Horse-9\r\n--b1--\r\n',
                "/up",
                "multipart/form-data; boundary=b1",
            ),
            "form",
            "POST /up",
            "ana",
        ),
    ],
)
def test_credentials_are_found_in_every_shape(step: Step, mechanism: str, endpoint: str, username: str | None) -> None:
    (attempt,) = attempts(step)
    assert (attempt.mechanism, attempt.endpoint, attempt.username) == (mechanism, endpoint, username)
    assert attempt.secret_tag == TAGGER.tag(SECRET)


def test_digest_shows_the_user_and_no_secret() -> None:
    digest = f'Authorization: Digest username="Ana", realm="r", nonce="n", uri="/", response="{"0" * 32}"\r\n'
    (attempt,) = attempts(get("/", digest))
    assert (attempt.mechanism, attempt.username, attempt.secret_tag) == ("digest", "ana", None)


@pytest.mark.parametrize(
    "step",
    [
        get("/login"),
        get("/login?next=/home&lang=en"),
        post("q=search&page=2", "/search"),
        post("username=ana", "/login"),
        post("username=ana&password=", "/anything"),
        post("username=ana&password=a&password_confirmation=a", "/users"),
        post("username=ana&password=a&password2=a", "/login"),
        post("old_password=a&new_password=b&username=ana", "/profile"),
        post("username=ana&password=a", "/account/register"),
        post("username=ana&email=ana%40example.com&password=a", "/users"),
        post("grant_type=refresh_token&refresh_token=x", "/oauth/token"),
        post("grant_type=authorization_code&code=x", "/oauth/token", extra="Authorization: Basic YTpi\r\n"),
        post('{"password":', "/login", "application/json"),
        post("username=ana&password=a", "/login", "image/png"),
        get("/", "Authorization: Bearer abc.def.ghi\r\n"),
        get("/", "Authorization: Basic !!!\r\n"),
    ],
)
def test_what_presents_no_credentials_is_no_login(step: Step) -> None:
    assert logins(step, reply(401)) == []


@pytest.mark.parametrize(
    "path",
    ["/login", "/login/", "//login", "/login?x=1", "/LOGIN", "/./login", "/a/../login", "/login;jsessionid=1",
     "/%6cogin", "http://example.com/login"],
)  # fmt: skip
def test_one_surface_has_one_name_however_its_path_is_spelt(path: str) -> None:
    (attempt,) = attempts(post(f"username=ana&password={SECRET}", path))
    assert attempt.endpoint == "POST /login"


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/tenant/4711/enter", "POST /tenant/{id}/enter"),
        ("/t/3f2504e0-4f89-11d3-9a0c-0305e82c3301/in", "POST /t/{id}/in"),
        ("/s/0123456789abcdef", "POST /s/{id}"),
        ("/s/" + "x" * 60, "POST /s/{id}"),
        ("/authors/feedback", "POST /authors/feedback"),
    ],
)
def test_ids_in_the_path_of_an_unknown_surface_are_replaced(path: str, endpoint: str) -> None:
    (attempt,) = attempts(post(f"username=ana&password={SECRET}", path))
    assert attempt.endpoint == endpoint


HTML = "Content-Type: text/html"
JSON = "Content-Type: application/json"
PAGE = "<html><p>Please log in</p><form><input name=u><input type='password' name=p></form></html>"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (reply(401), Outcome.FAILED),
        (reply(403, "no", HTML), Outcome.FAILED),
        (reply(423), Outcome.LOCKED),
        (reply(429, "slow down", HTML), Outcome.LOCKED),
        (reply(403, '{"error":"Account is locked"}', JSON), Outcome.LOCKED),
        (reply(401, '{"error":"mfa_required"}', JSON), Outcome.CHALLENGED),
        (reply(400, '{"error":"invalid_grant"}', JSON), Outcome.FAILED),
        (reply(422, PAGE, HTML), Outcome.FAILED),
        (reply(400, "bad request", HTML), Outcome.UNKNOWN),
        (reply(404, "<h1>Not Found</h1>", HTML), Outcome.UNKNOWN),
        (reply(405), Outcome.UNKNOWN),
        (reply(500, "Authentication error: database gone", HTML), Outcome.UNKNOWN),
        (reply(302, b"", "Location: /login"), Outcome.FAILED),
        (reply(302, b"", "Location: http://example.com/login?error=1"), Outcome.FAILED),
        (reply(302, b"", "Location: /users/sign_in"), Outcome.FAILED),
        (reply(302, b"", "Location: /account-locked"), Outcome.LOCKED),
        (reply(302, b"", "Location: /two-factor"), Outcome.CHALLENGED),
        (reply(303, b"", "Location: /dashboard"), Outcome.SUCCEEDED),
        (reply(302), Outcome.UNKNOWN),
        (reply(200, PAGE, HTML), Outcome.FAILED),
        (reply(200, PAGE + "Invalid username or password", HTML), Outcome.FAILED),
        (reply(200, "Login incorrect? Wrong password.", HTML), Outcome.FAILED),
        (reply(200, "<form>Enter the verification code<input name=code></form>", HTML), Outcome.CHALLENGED),
        (reply(200, "Your account has been locked", HTML), Outcome.LOCKED),
        (reply(200, "Welcome <a href='/logout'>Sign out</a>", HTML), Outcome.SUCCEEDED),
        (reply(200, "<p>Hello</p>", HTML), Outcome.UNKNOWN),
        (reply(200, "<p>Hello</p>", HTML, "Set-Cookie: auth_token=abc; Path=/"), Outcome.SUCCEEDED),
        (reply(200, "<p>Hello</p>", HTML, "Set-Cookie: sessionid=; Max-Age=0"), Outcome.UNKNOWN),
        (reply(200, '{"access_token":"abcdefghijkl"}', JSON), Outcome.SUCCEEDED),
        (reply(200, '{"success":false,"message":"no"}', JSON), Outcome.FAILED),
        (reply(200, '{"status":"error"}', JSON), Outcome.FAILED),
        (reply(200, '{"success":true}', JSON), Outcome.SUCCEEDED),
        (reply(200, '{"ok":true,"mfa_required":true,"token":"abcdefghijkl"}', JSON), Outcome.CHALLENGED),
        (reply(200, '{"user":{"mfa_enabled":false},"token":"abcdefghijkl"}', JSON), Outcome.SUCCEEDED),
        (reply(200, '{"errors":[{"message":"Invalid credentials"}]}', JSON), Outcome.FAILED),
        (reply(200, '{"errors":[{"message":"field missing"}]}', JSON), Outcome.UNKNOWN),
        (reply(200, b"", HTML), Outcome.UNKNOWN),
        (reply(204), Outcome.SUCCEEDED),
    ],
)
def test_outcomes_are_read_from_what_the_server_answers(answer: Step, outcome: Outcome) -> None:
    (resolved,) = outcomes(LOGIN, answer)
    assert resolved.outcome is outcome
    assert resolved.evidence is AuthEvidence.SERVER_REPLY
    assert 0 <= resolved.confidence <= 1
    assert resolved.confidence > 0 or outcome is Outcome.UNKNOWN
    assert resolved.detail


def test_a_compressed_answer_is_read() -> None:
    (resolved,) = outcomes(LOGIN, reply(200, gzip.compress(PAGE.encode()), HTML, "Content-Encoding: gzip"))
    assert resolved.outcome is Outcome.FAILED


def test_a_page_that_differs_from_earlier_failures_is_a_success_and_the_same_page_a_failure() -> None:
    failure = reply(200, "Sorry, wrong password." + " " * 300, HTML)
    silent = reply(200, "Hm." + " " * 319, HTML)
    other = reply(200, "Hello ana" * 300, HTML)
    results = outcomes(LOGIN, failure, LOGIN, failure, LOGIN, silent, LOGIN, other)
    assert [(result.outcome.value, result.detail) for result in results] == [
        ("failed", "page says wrong credentials"),
        ("failed", "page says wrong credentials"),
        ("failed", "page as long as earlier failures"),
        ("succeeded", "page differs from earlier failures"),
    ]


def test_a_login_without_an_answer_is_unknown_and_never_failed() -> None:
    (resolved,) = outcomes(LOGIN)
    assert (resolved.outcome, resolved.confidence, resolved.detail) == (Outcome.UNKNOWN, 0.0, "no answer seen")
    assert resolved.evidence is AuthEvidence.PROTOCOL_STATE


def test_basic_credentials_repeated_after_a_success_are_one_login() -> None:
    ana = basic("ana", SECRET)
    results = outcomes(ana, reply(200), ana, reply(200), basic("ana", SECRET, "/private/b"), reply(200))
    assert [result.outcome for result in results] == [Outcome.SUCCEEDED]


def test_basic_credentials_repeated_after_a_failure_are_new_tries() -> None:
    ana = basic("ana", "wrong")
    results = outcomes(ana, reply(401), ana, reply(401), basic("ana", SECRET), reply(200))
    assert [result.outcome.value for result in results] == ["failed", "failed", "succeeded"]


def test_pipelined_logins_get_their_own_outcomes() -> None:
    ben = post("username=ben&password=x")
    results = outcomes(LOGIN, ben, reply(401), reply(303, b"", "Location: /home"))
    assert [(result.username, result.outcome.value) for result in results] == [("ana", "failed"), ("ben", "succeeded")]


def test_an_answer_that_overtakes_the_end_of_its_request_still_counts() -> None:
    head, body = LOGIN.data[:-5], LOGIN.data[-5:]
    (resolved,) = outcomes(client(head), reply(401), client(body))
    assert resolved.outcome is Outcome.FAILED


def test_an_interim_response_is_no_answer() -> None:
    (resolved,) = outcomes(LOGIN, server(b"HTTP/1.1 100 Continue\r\n\r\n"), reply(401))
    assert resolved.detail == "status 401"


def test_logins_never_answered_are_resolved_beyond_the_bound() -> None:
    events = logins(*[LOGIN] * (MAX_PENDING + 5))
    assert [type(event) for event in events].count(AuthResolved) == MAX_PENDING + 5
    assert isinstance(events[MAX_PENDING + 1], AuthResolved)


def test_no_secret_leaves_in_events_or_published_messages() -> None:
    steps = [
        post(f"username=ana&password={SECRET}&otp={SECRET}"),
        reply(200, f"<input type=password value='{SECRET}'> Invalid password {SECRET}", HTML),
        post(f'{{"user":"ana","password":"{SECRET}"}}', "/api/login", "application/json"),
        reply(200, f'{{"token":"{SECRET}"}}', JSON, f"Set-Cookie: session={SECRET}"),
        basic("ana", SECRET),
        reply(401),
        get(f"/in?user=ana&password={SECRET}"),
        reply(302, b"", f"Location: /home?token={SECRET}"),
        post(f"grant_type=client_credentials&client_id=a&client_secret={SECRET}", "/oauth/token"),
        reply(400, f'{{"error":"invalid_client","error_description":"{SECRET}"}}', JSON),
    ]
    events = logins(*steps)
    assert len(events) == 10
    encoded = b64encode(f"ana:{SECRET}".encode()).decode()
    for said in (text(events), published(HttpParser(), *steps)):
        assert SECRET not in said
        assert encoded not in said


def test_the_fingerprint_tells_programs_apart_and_not_their_requests() -> None:
    def shape(body: str, headers: str) -> str | None:
        return attempts(post(body, extra=headers))[0].fingerprint

    tool = shape("username=a&password=b", "Accept: */*\r\n")
    assert tool is not None
    assert tool.startswith("http:")
    assert len(tool) == 17
    assert tool == shape("username=ana&password=longer", "Accept: text/html\r\nCookie: a=b\r\n")
    assert (
        len({tool, shape("user=a&pass=b", "accept: */*\r\n"), shape("user=a&pass=b", "Accept-Language: en\r\n")}) == 3
    )


def test_only_configured_surfaces_count_when_asked_so() -> None:
    settings = LoginSettings(endpoints=("POST /enter/{tenant} json",), any_path=False, http_basic=False)
    body = '{"password":"x"}'
    (attempt,) = attempts(
        post(body, "/enter/one", "application/json"),
        post("username=a&password=x", "/enter/one"),
        post("username=a&password=x", "/login"),
        basic("ana", "x"),
        settings=settings,
    )
    assert attempt.endpoint == "POST /enter/{tenant}"


PIECES = [
    *(LOGIN.data, OK, basic("ana", "x").data, reply(401).data, reply(200, PAGE, HTML).data),
    *(reply(200, '{"a":[{"token":"abcdefgh"}]}', JSON).data, b"&password=", b"\xff\xfe", b"{" * 40, b"\r\n\r\n"),
    post(b"[" * 3000, kind="application/json").data,
    post(b"--b\r\n\r\n" * 40, kind="multipart/form-data; boundary=b").data,
    post("user=%&pass=%zz&" * 40).data,
]
BYTES = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=30)), max_size=4).map(b"".join)


@given(any_steps(BYTES), SIZES)
def test_any_bytes_give_logins_and_never_an_error_however_split(steps: list[Step], sizes: list[int]) -> None:
    def plain(events: list[AuthEvent]) -> list[tuple[int, str | None, str | None, object]]:
        return [(event.auth_id, event.username, event.secret_tag, getattr(event, "outcome", None)) for event in events]

    assert plain(logins(*steps)) == plain(logins(*cut(steps, sizes)))


@given(st.binary(max_size=300), st.sampled_from([FORM, "application/json", "multipart/form-data; boundary=b", ""]))
def test_any_body_is_read_without_an_error(body: bytes, kind: str) -> None:
    logins(post(body, kind=kind), reply(200, body, f"Content-Type: {kind}"), closes(LOGIN.side))
