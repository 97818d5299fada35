"""The day that is recorded: who visits, from where, when on the clock of the day, and what each visit is.

Times are seconds after 08:00 of the recorded day. The plan is pure data from one seed: no clock, no network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from . import clients
from .browser import web_browser
from .clients import Act
from .network import FTP_V4, SMTP_V4, SSH_V4, WEB_V6
from .people import APPS, BROWSERS, Account, Cast

SEED = 20260112
EPOCH = "2026-01-12T08:00:00Z"
HOUR_S = 3600.0
DAY_S = 9 * HOUR_S
NAT = "198.51.100.10"
NAT_PEOPLE = 24


@dataclass(frozen=True, slots=True)
class Visit:
    """One session or short run of sessions from one address, moved on the clock as a whole."""

    source: str
    at_s: float
    act: Act
    protocol: str
    failed: int = 0
    succeeded: int = 0


@dataclass(slots=True)
class Attack:
    """One attack, as the labels will name it."""

    id: str
    finding: str
    protocol: str
    tool: str
    accounts: list[str]
    also_true: tuple[str, ...] = ()
    note: str = ""
    visits: list[Visit] = field(default_factory=list)

    @property
    def sources(self) -> list[str]:
        """Every address it comes from, in order of first use."""
        return list(dict.fromkeys(visit.source for visit in self.visits))


@dataclass(slots=True)
class Resident:
    """An address of ordinary people: who is behind it and with which accounts."""

    source: str
    who: str
    accounts: list[str] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)


@dataclass(slots=True)
class Takeover:
    """The account that was taken, from where it was guessed, and from where it was entered."""

    account: str
    owner: str
    guessed_from: list[str]
    entered_from: str
    at_s: float


class Plan:
    """The whole day. `web`, `mail` and `shell` are the accounts that the daemons know."""

    def __init__(self, seed: int = SEED) -> None:
        self.cast = Cast(seed)
        self.web: dict[str, str] = {}
        self.mail: dict[str, str] = {}
        self.shell: dict[str, str] = {}
        self.residents: dict[str, Resident] = {}
        self.attacks: list[Attack] = []
        self._office()
        self._homes()
        self._other_protocols()
        self._readers()
        self._browsers()
        self.takeover = self._take_over()
        self._stuffing()
        self._distributed()
        self._spraying()
        self._targeted()
        self._guessing()
        self._slow()

    @property
    def visits(self) -> list[Visit]:
        """Every visit of the day, by source and then by time."""
        groups: Iterable[Resident | Attack] = [*self.residents.values(), *self.attacks]
        return sorted((v for group in groups for v in group.visits), key=lambda v: (v.source, v.at_s))

    def _person(self) -> Account:
        person = self.cast.person()
        self.web[person.name] = person.password
        return person

    def _resident(self, source: str, who: str) -> Resident:
        return self.residents.setdefault(source, Resident(source, who))

    def _sign_in(
        self, source: str, who: str, at_s: float, person: Account, *, typos: int = 0, app: bool = False
    ) -> None:
        """One web login, with so many slips before the right password."""
        passwords = [*(self.cast.mistype(person.password) for _ in range(typos)), person.password]
        agent = self.cast.draw.choice(APPS if app else BROWSERS)
        login = clients.web_app if app else clients.web_form
        server = {"server": WEB_V6} if ":" in source else {}
        act = login(agent=agent, account=person.name, passwords=passwords, **server)
        self._visit(source, who, Visit(source, at_s, act, "http", typos, 1), person.name)

    def _visit(self, source: str, who: str, visit: Visit, account: str) -> None:
        resident = self._resident(source, who)
        resident.visits.append(visit)
        if account not in resident.accounts:
            resident.accounts.append(account)

    def _office(self) -> None:
        """Two dozen people behind one address: most sign in between half past eight and half past nine."""
        who = f"office of {NAT_PEOPLE} behind one NAT address"
        for number in range(NAT_PEOPLE):
            person = self._person()
            typos = {3: 1, 6: 1, 8: 2, 11: 1, 14: 1, 17: 1, 19: 2, 22: 1}.get(number, 0)
            at_s = self.cast.draw.uniform(0.5, 1.5) * HOUR_S
            self._sign_in(NAT, who, at_s, person, typos=typos, app=number % 6 == 5)
            if number % 4 == 0:
                self._sign_in(NAT, who, self.cast.draw.uniform(5, 8) * HOUR_S, person)

    def _homes(self) -> None:
        """People with an address of their own; four use IPv6, four live in the attackers' network."""
        sources = [f"198.51.100.{host}" for host in range(20, 44)]
        sources += [f"203.0.113.{host}" for host in range(200, 204)]
        sources += [f"2001:db8:20:{net}::{net}5" for net in range(1, 5)]
        for number, source in enumerate(sources):
            person = self._person()
            typos = {2: 1, 5: 2, 9: 1, 13: 3, 16: 1, 21: 1, 25: 1, 29: 2}.get(number, 0)
            first = self.cast.draw.uniform(0.1, 6) * HOUR_S
            app = number % 3 == 1
            self._sign_in(source, "person at home", first, person, typos=typos, app=app)
            if number % 2:
                again = first + self.cast.draw.uniform(1, 2.5) * HOUR_S
                self._sign_in(source, "person at home", again, person, typos=int(number == 7), app=app)

    def _other_protocols(self) -> None:
        """People who fetch files, send mail, work on the shell host or read reports."""
        for number in range(5):
            account = self._shell_account(f"files{number + 1}")
            self._simple(f"198.51.100.{50 + number}", "ftp", account, typos=int(number in {1, 3}), variant=number)
        for number in range(6):
            person = self._person()
            self.mail[person.name] = person.password
            self._simple(f"198.51.100.{60 + number}", "smtp", person, typos=int(number in {0, 4}), variant=number)
        for number, name in enumerate(("greta", "ludwig", "mirko", "sanna", "theo")):
            account = self._shell_account(name)
            self._simple(f"198.51.100.{70 + number}", "ssh", account, typos=int(number in {1, 4}), variant=number)
        for number in range(2):
            person = self._person()
            source, at_s = f"198.51.100.{76 + number}", (2.2 + 3 * number) * HOUR_S
            act = clients.report(account=person.name, password=person.password)
            self._visit(source, "person reading reports", Visit(source, at_s, act, "http", 0, 1), person.name)

    def _shell_account(self, name: str) -> Account:
        account = Account(name, self.cast.password())
        self.shell[account.name] = account.password
        return account

    def _simple(self, source: str, protocol: str, account: Account, *, typos: int, variant: int) -> None:
        """Two visits over one of the older protocols, the first with so many slips."""
        for round_, slips in enumerate((typos, 0)):
            passwords = [*(self.cast.mistype(account.password) for _ in range(slips)), account.password]
            if protocol == "ftp":
                act = clients.ftp(account=account.name, passwords=passwords, passive=variant % 3 != 2)
            elif protocol == "smtp":
                mechanism = "LOGIN" if variant % 2 else "PLAIN"
                act = clients.smtp(account=account.name, passwords=passwords, mechanism=mechanism)
            else:
                act = clients.ssh(account=account.name, passwords=passwords)
            at_s = self.cast.draw.uniform(0.2 + 4 * round_, 4 + 4 * round_) * HOUR_S
            visit = Visit(source, at_s, act, protocol, slips, 1)
            self._visit(source, f"person using {protocol}", visit, account.name)

    def _readers(self) -> None:
        """Visitors who read pages and never sign in."""
        pages = ("/", "/style.css", "/lamps", "/lamps/heron", "/lamps/plover", "/delivery", "/login-help")
        for host in range(80, 92):
            source = f"198.51.100.{host}"
            resident = self._resident(source, "visitor who reads pages and signs in nowhere")
            for _ in range(2):
                chosen = ["/", "/style.css", *self.cast.draw.sample(pages[2:], 3)]
                act = clients.web_pages(agent=self.cast.draw.choice(BROWSERS), pages=chosen)
                resident.visits.append(Visit(source, self.cast.draw.uniform(0.1, 8.8) * HOUR_S, act, "http"))

    def _browsers(self) -> None:
        """Two people at a real browser; one of them mistypes once."""
        for host, typos, hour in ((47, 1, 1.4), (48, 0, 4.6)):
            source, person = f"198.51.100.{host}", self._person()
            passwords = [*(self.cast.mistype(person.password) for _ in range(typos)), person.password]
            act = web_browser(account=person.name, passwords=passwords)
            visit = Visit(source, hour * HOUR_S, act, "http", typos, 1)
            self._visit(source, "person at a real browser", visit, person.name)

    def _strangers(self, count: int, *, known: Sequence[str] = ()) -> list[str]:
        """Account names of a leaked list: mostly unknown to this site, some known."""
        names = [self.cast.person().name for _ in range(count - len(known))] + list(known)
        self.cast.draw.shuffle(names)
        return names

    def _attack(self, attack: Attack) -> Attack:
        self.attacks.append(attack)
        return attack

    def _stuffing(self) -> None:
        names = self._strangers(110, known=list(self.web)[:8])
        attack = self._attack(Attack("stuffing-one-source", "credential-stuffing", "http", "hydra", names))
        pairs = [(name, self.cast.password()) for name in names]
        act = clients.hydra_pairs(pairs=pairs, tasks=4)
        attack.visits.append(Visit("203.0.113.10", 1.67 * HOUR_S, act, "http", len(names)))

    def _distributed(self) -> None:
        """Thirty addresses, six tries each in a quarter of an hour, all with one odd set of headers."""
        sources = [f"203.0.113.{host}" for host in range(101, 125)]
        sources += [f"2001:db8:bad:{net}::66" for net in range(1, 7)]
        names = self._strangers(6 * len(sources), known=list(self.web)[8:16])
        note = "the same User-Agent and header order from every address"
        attack = Attack("stuffing-distributed", "credential-stuffing", "http", "curl", names, note=note)
        flags = [
            "-H",
            "Accept-Language: xx",
            "-H",
            "X-Client: sweep",
            "-H",
            "Accept:",
            "-H",
            "User-Agent: sweep/0.9",
        ]
        for number, name in enumerate(names):
            source = sources[number % len(sources)]
            family = ["-6"] if ":" in source else ["-4"]
            act = clients.curl_json(flags=[*family, *flags], account=name, password=self.cast.password())
            at_s = 2.33 * HOUR_S + self.cast.draw.uniform(0, 900)
            attack.visits.append(Visit(source, at_s, act, "http", 1))
        self._attack(attack)

    def _spraying(self) -> None:
        names = self._strangers(56, known=list(self.web)[16:28])
        attack = Attack("spraying", "password-spraying", "http", "hydra and curl", names)
        attack.note = "one password over all accounts, from two addresses"
        password = "Welcome-lantern-2026"
        burst = clients.hydra_spray(accounts=names[:28], password=password, tasks=2)
        attack.visits.append(Visit("203.0.113.40", 3.17 * HOUR_S, burst, "http", 28))
        flags = ["-4", "-A", "python-requests/2.32.3"]
        for number, name in enumerate(names[28:]):
            act = clients.curl_form(flags=flags, account=name, password=password)
            at_s = 3.17 * HOUR_S + 20 * number + self.cast.draw.uniform(0, 8)
            attack.visits.append(Visit("203.0.113.41", at_s, act, "http", 1))
        self._attack(attack)

    def _targeted(self) -> None:
        """One account from a dozen addresses; its owner signs in before and afterwards, as always."""
        owner = self._person()
        for at_s in (0.6 * HOUR_S, 6.8 * HOUR_S):
            self._sign_in("198.51.100.46", "owner of the account that is guessed at", at_s, owner)
        attack = Attack("targeted", "targeted-account", "http", "curl", [owner.name])
        attack.note = "never let in; the owner's own logins before and after are ordinary"
        for number in range(36):
            source = f"203.0.113.{141 + number % 12}"
            flags = ["-4", "-A", f"Mozilla/5.0 (compatible; reader/{number % 12}.0)"]
            act = clients.curl_form(flags=flags, account=owner.name, password=self.cast.password())
            at_s = 4 * HOUR_S + 30 * number + self.cast.draw.uniform(0, 20)
            attack.visits.append(Visit(source, at_s, act, "http", 1))
        self._attack(attack)

    def _guessing(self) -> None:
        """One account, many passwords, one address: FTP, SSH with three tools, SMTP."""
        victim = self._shell_account("archive")
        deploy = self._shell_account("deploy")
        billing = Account("billing@example.com", self.cast.password())
        self.mail[billing.name] = billing.password
        ftp = clients.hydra_guess(url=f"ftp://{FTP_V4}", account=victim.name, passwords=self._words(40), tasks=4)
        self._guess("guessing-ftp", "hydra", Visit("203.0.113.50", 5.17 * HOUR_S, ftp, "ftp", 40), victim.name)
        ssh = clients.hydra_guess(url=f"ssh://{SSH_V4}", account=deploy.name, passwords=self._words(30), tasks=4)
        self._guess("guessing-ssh", "hydra", Visit("203.0.113.55", 5.67 * HOUR_S, ssh, "ssh", 30), deploy.name)
        crack = clients.ncrack_guess(account="root", passwords=self._words(24))
        self._guess("guessing-ssh-root", "ncrack", Visit("203.0.113.56", 6.1 * HOUR_S, crack, "ssh", 24), "root")
        backup = self._shell_account("backup-agent")
        many = clients.medusa_guess(module="ssh", host=SSH_V4, account=backup.name, passwords=self._words(20))
        self._guess("guessing-ssh-backup", "medusa", Visit("203.0.113.57", 6.3 * HOUR_S, many, "ssh", 20), backup.name)
        mail = clients.hydra_guess(url=f"smtp://{SMTP_V4}", account=billing.name, passwords=self._words(30), tasks=3)
        self._guess("guessing-smtp", "hydra", Visit("203.0.113.60", 6.5 * HOUR_S, mail, "smtp", 30), billing.name)

    def _words(self, count: int) -> list[str]:
        return [self.cast.password() for _ in range(count)]

    def _guess(self, name: str, tool: str, visit: Visit, account: str) -> None:
        attack = Attack(name, "password-guessing", visit.protocol, tool, [account])
        attack.visits.append(visit)
        self._attack(attack)

    def _slow(self) -> None:
        """One try every twenty to forty minutes, all day, from one address, each on another account."""
        attack = Attack("low-and-slow", "low-and-slow", "http", "curl", [])
        at_s = 0.35 * HOUR_S
        agent = dict(BROWSERS[0])["User-Agent"]
        while at_s < DAY_S - 600:
            name = self.cast.person().name
            attack.accounts.append(name)
            act = clients.curl_form(flags=["-4", "-A", agent], account=name, password=self.cast.password())
            attack.visits.append(Visit("203.0.113.77", at_s, act, "http", 1))
            at_s += self.cast.draw.uniform(20 * 60, 40 * 60)
        self._attack(attack)

    def _take_over(self) -> Takeover:
        """Guessed from three addresses within forty minutes, then entered from a fourth, new one."""
        owner = self._person()
        home, entered, end_s = "198.51.100.45", "198.51.100.240", 7.87 * HOUR_S
        self._sign_in(home, "owner of the account that is taken over", 0.75 * HOUR_S, owner)
        guessers = [f"203.0.113.{host}" for host in (90, 91, 92)]
        attack = Attack("takeover", "account-takeover", "http", "curl", [owner.name])
        attack.also_true = ("targeted-account",)
        for number in range(12):
            flags = ["-4", "-A", "curl/8.5.0"]
            act = clients.curl_form(flags=flags, account=owner.name, password=self.cast.password())
            at_s = 7 * HOUR_S + 200 * number + self.cast.draw.uniform(0, 120)
            attack.visits.append(Visit(guessers[number % 3], at_s, act, "http", 1))
        flags = ["-4", "-A", dict(BROWSERS[7])["User-Agent"]]
        enter = clients.curl_form(flags=flags, account=owner.name, password=owner.password)
        attack.visits.append(Visit(entered, end_s, enter, "http", 0, 1))
        self._attack(attack)
        return Takeover(owner.name, home, guessers, entered, end_s)
