"""Logins over SSH."""

from lapwing.events import AuthEvidence, AuthResolved, Outcome, Side
from lapwing.events.messages import SshKexInit
from lapwing.protocols.ssh import SshParser
from tests.logins.lines import ended, logins
from tests.protocols import ssh_bytes as ssh
from tests.protocols.playbook import closes, play

ENDS = [closes(Side.CLIENT), closes(Side.SERVER)]


def test_each_guess_is_one_login_marked_as_inferred_with_the_fingerprint_of_the_client() -> None:
    guesses = [(ssh.password(8),), (ssh.FAILURE,)] * 3
    steps = ssh.session(ssh.CHACHA, (ssh.NONE,), (ssh.FAILURE,), *guesses)
    events = logins("ssh", SshParser(), *steps, *ENDS)
    assert ended(events) == [(None, "password", "failed")] * 3
    offer = next(message for message in play(SshParser(), steps[1]) if isinstance(message, SshKexInit))
    for event in events:
        assert isinstance(event, AuthResolved)
        assert (event.evidence, event.endpoint) == (AuthEvidence.PACKET_SIZE, "ssh")
        assert event.confidence < 1
        assert event.fingerprint == f"hassh:{offer.hassh}"
    assert len({event.auth_id for event in events}) == 3


def test_a_key_that_the_server_does_not_know_is_no_login() -> None:
    turns = [(ssh.NONE,), (ssh.FAILURE,), (ssh.KEY_OFFER,), (ssh.FAILURE,), (ssh.KEY_OFFER,), (ssh.KEY_ACCEPTED,)]
    steps = ssh.session(ssh.CHACHA, *turns, (ssh.SIGNED,), (ssh.SUCCESS,), (ssh.CHANNEL_OPEN,))
    assert ended(logins("ssh", SshParser(), *steps)) == [(None, "publickey", "succeeded")]


def test_what_is_not_clear_stays_unknown() -> None:
    steps = ssh.session(ssh.CHACHA, (ssh.NONE,), (ssh.FAILURE,), (ssh.password(8),))
    (event,) = logins("ssh", SshParser(), *steps, *ENDS)
    assert isinstance(event, AuthResolved)
    assert event.outcome is Outcome.UNKNOWN
