"""What counts as a login."""

import msgspec

from lapwing.logins.endpoints import parse_rule

# Login surfaces of widespread software and conventions.
DEFAULT_ENDPOINTS = (
    "POST /login",
    "POST /signin",
    "POST /sign-in",
    "POST /logon",
    "POST /login.php",
    "POST /wp-login.php",
    "POST /user/login",
    "POST /users/login",
    "POST /users/sign_in",
    "POST /account/login",
    "POST /accounts/login",
    "POST /admin/login",
    "POST /auth/login",
    "POST /auth/signin",
    "POST /session",
    "POST /sessions",
    "POST /j_security_check",
    "POST /j_spring_security_check",
    "POST /api/login",
    "POST /api/{version}/login",
    "POST /api/auth/login",
    "POST /api/{version}/auth/login",
    "POST /api/session",
    "POST /api/{version}/session",
    "POST /oauth/token",
    "POST /oauth2/token",
    "POST /connect/token",
    "POST /identity/connect/token",
    "POST /realms/{realm}/protocol/openid-connect/token",
    "POST /realms/{realm}/login-actions/authenticate",
)
DEFAULT_USERNAME_FIELDS = (
    "username",
    "user",
    "login",
    "email",
    "log",
    "userid",
    "uid",
    "uname",
    "usr",
    "loginid",
    "loginname",
    "userlogin",
    "useremail",
    "emailaddress",
    "mail",
    "account",
    "accountname",
    "identifier",
    "identity",
    "principal",
    "upn",
    "userprincipalname",
    "signinname",
    "logonid",
    "logonname",
    "memberid",
    "customerid",
    "phone",
    "phonenumber",
    "mobile",
    "handle",
    "name",
)
DEFAULT_SECRET_FIELDS = (
    "password",
    "passwd",
    "pass",
    "pwd",
    "passphrase",
    "userpassword",
    "userpass",
    "loginpassword",
    "loginpass",
    "jpassword",
    "pw",
    "psw",
    "motdepasse",
    "passwort",
    "kennwort",
    "contrasena",
    "senha",
)


class LoginSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of the logins room.

    `endpoints`: login surfaces as `METHOD /path [form|json|multipart]`; `{name}` stands for any one segment. A request
    to one of them counts with a secret field alone, and they name the surface in events.
    `any_path`: whether a request elsewhere counts too, when its body has both a user-like and a secret-like field;
    the surface is then its path with the ids in it replaced.
    `username_fields`, `secret_fields`: field names, compared without case, `_`, `-` and prefixes such as `user[...]`;
    earlier ones win.
    `http_basic`: whether Basic and Digest credentials on any request count.
    `fold_username_dots`: whether `j.doe@example.com` is `jdoe@example.com`; right only where the mail host does so.
    `drop_username_tag`: whether `jdoe+shop@example.com` is `jdoe@example.com`.
    `places`: databases in MaxMind's format, of countries, cities or network operators; none is shipped.
    `leaks`: a filter of leaked secrets, as `lapwing leaks build` writes it, in which each secret that is seen is looked
    up while it is in hand: on the wire, in logs, in a guarded application.
    """

    endpoints: tuple[str, ...] = DEFAULT_ENDPOINTS
    any_path: bool = True
    username_fields: tuple[str, ...] = DEFAULT_USERNAME_FIELDS
    secret_fields: tuple[str, ...] = DEFAULT_SECRET_FIELDS
    http_basic: bool = True
    fold_username_dots: bool = False
    drop_username_tag: bool = False
    places: tuple[str, ...] = ()
    leaks: str = ""

    def __post_init__(self) -> None:
        for rule in self.endpoints:
            parse_rule(rule)
