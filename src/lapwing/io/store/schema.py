"""The tables. A change here comes with a migration; a test compares the two.

Times are nanoseconds UTC. `seq` numbers interactions in the order of their commits, from 1, without reuse: whoever
remembers one can ask for all that came after it.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

# SQLite makes a column its row number only where the type reads INTEGER; its integers have 64 bits either way.
Number = BigInteger().with_variant(Integer(), "sqlite")

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("mailbox_id", Number, primary_key=True, autoincrement=True),
    Column("correlation_id", String(63), nullable=False, unique=True),
    Column("secret_digest", LargeBinary, nullable=False),  # never the secret; empty: nobody can ask for it
    Column("public_key", Text, nullable=False),
    Column("aes_key", LargeBinary, nullable=False),
    Column("wrapped_key", Text, nullable=False),  # the AES key under the public key, as polls carry it
    Column("nonce_length", Integer, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("seen_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger),  # NULL: never; 0: it ended, and what it held is being deleted
    Column("token_key", LargeBinary),  # of the mailbox whose tokens are planted by this store itself
    Index("mailboxes_by_end", "expires_ns"),
)

# Apart from mailboxes, which are wide: retention writes a row here for every mailbox it takes from.
gaps = Table(
    "gaps",
    metadata,
    Column("mailbox_id", Number, primary_key=True, autoincrement=False),
    Column("through", BigInteger, nullable=False),  # newest seq deleted by retention
)

interactions = Table(
    "interactions",
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("mailbox_id", BigInteger, nullable=False),  # 0: nobody's
    Column("token_id", BigInteger),  # the planted token it tripped
    Column("ts_ns", BigInteger, nullable=False),
    Column("protocol", String(16), nullable=False),
    Column("payload", LargeBinary, nullable=False),  # the interaction, msgpack
    Index("interactions_by_mailbox", "mailbox_id", "seq"),
)
Index(
    "interactions_by_token",
    interactions.c.token_id,
    interactions.c.seq,
    sqlite_where=interactions.c.token_id.is_not(None),
    postgresql_where=interactions.c.token_id.is_not(None),
)

consumers = Table(
    "consumers",
    metadata,
    Column("mailbox_id", BigInteger, primary_key=True),
    Column("name", String(64), primary_key=True),  # "" polls; names with @ read what belongs to nobody
    Column("cursor", BigInteger, nullable=False),  # all up to this seq was taken
    Column("seen_ns", BigInteger, nullable=False),
)

losses = Table(
    "losses",
    metadata,
    Column("loss_id", Number, primary_key=True, autoincrement=True),
    Column("from_ns", BigInteger, nullable=False),
    Column("to_ns", BigInteger, nullable=False),
    Column("lost_count", BigInteger, nullable=False),  # interactions refused, as far as they were understood
    Column("reason", Text, nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("at_ns", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),  # the newest at that time
)

tokens = Table(
    "tokens",
    metadata,
    Column("token_id", Number, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),
    Column("name", Text, nullable=False, unique=True),  # a unique id, a decoy's user name, or a secret's keyed tag
    Column("note", Text, nullable=False, server_default=""),
    Column("placement", Text, nullable=False, server_default=""),  # where it was put
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger),
    Column("revoked_ns", BigInteger),
    Column("details", LargeBinary, nullable=False),  # msgpack map: answers, exclusions, how it was made
    Column("alert_every_s", BigInteger, nullable=False, server_default="60"),
    Column("hit_count", BigInteger, nullable=False, server_default="0"),
    Column("suppressed_count", BigInteger, nullable=False, server_default="0"),  # alerts, never hits
    Column("first_hit_ns", BigInteger),
    Column("last_hit_ns", BigInteger),
    Column("last_alert_ns", BigInteger),
)

uses = Table(
    "uses",
    metadata,
    Column("use_id", Number, primary_key=True, autoincrement=True),
    Column("token_id", BigInteger, nullable=False),  # the decoy
    Column("ts_ns", BigInteger, nullable=False),
    Column("client_ip", Text, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("endpoint", Text, nullable=False, server_default=""),
    Column("auth_id", BigInteger, nullable=False, server_default="0"),  # within the reading that saw the login
    Index("uses_by_token", "token_id", "ts_ns"),
)

letters = Table(
    "letters",
    metadata,
    Column("letter_id", Number, primary_key=True, autoincrement=True),
    Column("address", Text, nullable=False),  # a URL, or mailto: and who
    Column("made_ns", BigInteger, nullable=False),
    Column("due_ns", BigInteger),  # when it is tried (again); NULL: given up, kept to be looked at
    Column("tries_count", Integer, nullable=False, server_default="0"),
    Column("failure", Text, nullable=False, server_default=""),  # of the last try
    Column("body", LargeBinary, nullable=False),  # JSON
    Index("letters_by_time", "due_ns"),
)
