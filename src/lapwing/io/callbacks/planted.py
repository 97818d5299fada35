"""A token with the domain it is planted below: what a person puts somewhere."""

from typing import NamedTuple

from lapwing.callbacks import Token


class Planted(NamedTuple):
    """One token in the forms it can be planted in."""

    token: Token
    domain: str

    @property
    def unique_id(self) -> str:
        """What the collector reports of it."""
        return self.token.unique_id

    @property
    def purpose(self) -> str:
        """The minter's own words."""
        return self.token.purpose

    @property
    def host(self) -> str:
        """A host name; with the port where the collector's domain has one."""
        return self.token.host(self.domain)

    @property
    def name(self) -> str:
        """A DNS name."""
        return self.host.partition(":")[0]

    @property
    def url(self) -> str:
        """An https address."""
        return self.token.url(self.domain)

    @property
    def mail_address(self) -> str:
        """A mail address whose domain is the token."""
        return f"info@{self.name}"

    def __str__(self) -> str:
        return self.host
