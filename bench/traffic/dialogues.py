"""FTP, SMTP and SSH sessions, some of them logins that fail."""

import base64
import random
import struct

from bench.traffic.script import CLIENT, SERVER, THINK_US, TRIP_US, Pool, Script

SHORT_US = 25_000.0  # a program typing the next command


def _lines(script: Script, exchange: list[tuple[str, str]], think_us: float = SHORT_US) -> None:
    for command, reply in exchange:
        script.ask(command.encode() + b"\r\n", reply.encode() + b"\r\n", think_us)


def ftp_scripts(pool: Pool, rng: random.Random, count: int) -> list[Script]:
    scripts = []
    for index in range(count):
        script = Script(pool, 21).open().say(SERVER, b"220 Welcome to the archive.\r\n")
        for _ in range(rng.randint(1, 3) if index % 2 else 0):
            name, word = f"user{rng.randrange(300)}", f"guess-{rng.randrange(10**5)}"
            _lines(script, [(f"USER {name}", "331 Please specify the password.")])
            _lines(script, [(f"PASS {word}", "530 Login incorrect.")], THINK_US)
        if index % 3:
            _lines(
                script,
                [
                    (f"USER staff{rng.randrange(60)}", "331 Please specify the password."),
                    (f"PASS fine-{rng.randrange(10**5)}", "230 Login successful."),
                    ("SYST", "215 UNIX Type: L8"),
                    ("FEAT", "211-Features:\r\n EPSV\r\n MDTM\r\n SIZE\r\n UTF8\r\n211 End"),
                    ("PWD", '257 "/" is the current directory'),
                    ("TYPE I", "200 Switching to Binary mode."),
                    ("EPSV", f"229 Entering Extended Passive Mode (|||{rng.randint(30000, 60000)}|)"),
                    ("LIST", "150 Here comes the directory listing.\r\n226 Directory send OK."),
                ],
            )
        _lines(script, [("QUIT", "221 Goodbye.")])
        scripts.append(script.close(SERVER))
    return scripts


def smtp_scripts(pool: Pool, rng: random.Random, count: int) -> list[Script]:
    scripts = []
    for index in range(count):
        script = Script(pool, 587 if index % 3 else 25).open().say(SERVER, b"220 mail.example.com ESMTP\r\n")
        greeting = "250-mail.example.com\r\n250-SIZE 52428800\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME"
        _lines(script, [("EHLO client.example.com", greeting)])
        good = _smtp_login(script, rng, plain=index % 2 == 0) if index % 3 else True
        if good:
            body = "\r\n".join("The quick report about the archive, line by line." for _ in range(rng.randint(5, 400)))
            _lines(
                script,
                [
                    ("MAIL FROM:<alice@example.com>", "250 2.1.0 Ok"),
                    (f"RCPT TO:<bob{rng.randrange(99)}@example.com>", "250 2.1.5 Ok"),
                    ("DATA", "354 End data with <CR><LF>.<CR><LF>"),
                    (
                        f"Subject: report\r\nFrom: alice@example.com\r\n\r\n{body}\r\n.",
                        "250 2.0.0 Ok: queued as 4F2A",
                    ),
                ],
            )
        _lines(script, [("QUIT", "221 2.0.0 Bye")])
        scripts.append(script.close(SERVER))
    return scripts


def _smtp_login(script: Script, rng: random.Random, *, plain: bool) -> bool:
    good = rng.random() < 0.6
    verdict = "235 2.7.0 Authentication successful" if good else "535 5.7.8 Error: authentication failed"
    name, word = f"user{rng.randrange(500)}@example.com", f"mail-{rng.randrange(10**5)}"
    if plain:
        token = base64.b64encode(f"\0{name}\0{word}".encode()).decode()
        _lines(script, [(f"AUTH PLAIN {token}", verdict)])
    else:
        answers = [base64.b64encode(text.encode()).decode() for text in (name, word)]
        steps = [("AUTH LOGIN", "334 VXNlcm5hbWU6"), (answers[0], "334 UGFzc3dvcmQ6"), (answers[1], verdict)]
        _lines(script, steps)
    return good


def _kexinit(rng: random.Random) -> bytes:
    """SSH_MSG_KEXINIT in its binary packet (RFC 4253 sections 6 and 7.1)."""
    lists = (
        "sntrup761x25519-sha512@openssh.com,curve25519-sha256,ecdh-sha2-nistp256",
        "ssh-ed25519,rsa-sha2-512,rsa-sha2-256",
        *(["chacha20-poly1305@openssh.com,aes128-ctr,aes256-gcm@openssh.com"] * 2),
        *(["umac-64-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-256"] * 2),
        *(["none,zlib@openssh.com"] * 2),
        "",
        "",
    )
    body = b"\x14" + rng.randbytes(16) + b"".join(struct.pack(">I", len(text)) + text.encode() for text in lists)
    body += b"\0" * 5
    padding = 8 - (len(body) + 5) % 8 + 4
    return struct.pack(">IB", len(body) + padding + 1, padding) + body + b"\0" * padding


def _clear_packet(kind: int, body: bytes) -> bytes:
    content = bytes([kind]) + body
    padding = 8 - (len(content) + 5) % 8 + 4
    return struct.pack(">IB", len(content) + padding + 1, padding) + content + b"\0" * padding


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _key_exchange_reply(rng: random.Random) -> bytes:
    """Host key, the server's public value, signature (RFC 5656 section 4)."""
    name = _string(b"ssh-ed25519")
    return b"".join(
        _string(part)
        for part in (name + _string(rng.randbytes(32)), rng.randbytes(32), name + _string(rng.randbytes(64)))
    )


def ssh_scripts(pool: Pool, rng: random.Random, count: int) -> list[Script]:
    """Half are guesses (several refused tries, then the server ends it), half are working sessions."""
    scripts = []
    for index in range(count):
        script = Script(pool, 22).open()
        script.say(SERVER, b"SSH-2.0-OpenSSH_9.9\r\n")
        script.ask(
            b"SSH-2.0-" + (b"libssh_0.11.1" if index % 2 else b"OpenSSH_9.7") + b"\r\n",
            _kexinit(rng),
            TRIP_US,
        )
        reply = _clear_packet(31, _key_exchange_reply(rng)) + _clear_packet(21, b"")
        script.ask(_kexinit(rng) + _clear_packet(30, _string(rng.randbytes(32))), reply, TRIP_US)
        script.ask(_clear_packet(21, b"") + rng.randbytes(44), rng.randbytes(44), TRIP_US)
        script.ask(rng.randbytes(68), rng.randbytes(52), TRIP_US)
        if index % 2:
            for _ in range(rng.randint(1, 6)):
                script.ask(rng.randbytes(148), rng.randbytes(52), THINK_US * 4)
            scripts.append(script.close(SERVER))
            continue
        script.ask(rng.randbytes(148), rng.randbytes(28), THINK_US * 4)
        script.ask(rng.randbytes(112), rng.randbytes(500), SHORT_US)
        for _ in range(rng.randint(10, 160)):
            script.ask(rng.randbytes(36), rng.randbytes(rng.choice((36, 36, 44, 100, 600))), THINK_US)
        scripts.append(script.close(CLIENT))
    return scripts
