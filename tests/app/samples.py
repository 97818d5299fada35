"""Events to build tests from."""

from typing import Any

from lapwing.events import (
    AnomalySeen,
    AuthEvidence,
    AuthResolved,
    CloseReason,
    Evidence,
    FindingRaised,
    FlowClosed,
    Outcome,
    RoleEvidence,
    Severity,
    Transport,
)

START_NS = 1_767_261_600_000_000_000  # 2026-01-01 10:00:00Z
S = 1_000_000_000


def login(outcome: Outcome = Outcome.FAILED, **changes: Any) -> AuthResolved:
    """A login over HTTP."""
    values: dict[str, Any] = {
        "ts_ns": START_NS,
        "protocol": "http",
        "mechanism": "form",
        "endpoint": "POST /login",
        "client_ip": "192.0.2.7",
        "client_port": 40_000,
        "server_ip": "198.51.100.1",
        "server_port": 80,
        "username": "alice@example.com",
        "outcome": outcome,
        "evidence": AuthEvidence.SERVER_REPLY,
        "confidence": 0.95,
    }
    return AuthResolved(**values | changes)


def finding(**changes: Any) -> FindingRaised:
    """A finding about one source."""
    values: dict[str, Any] = {
        "ts_ns": START_NS + 60 * S,
        "finding_id": "f0123456789abcde",
        "finding": "password-guessing",
        "severity": Severity.HIGH,
        "risk": 0.97,
        "subject_kind": "source",
        "subject": "192.0.2.7",
        "protocols": ["http"],
        "techniques": ["T1110.001"],
        "first_ts_ns": START_NS,
        "last_ts_ns": START_NS + 60 * S,
        "attempt_count": 40,
        "failure_count": 40,
        "success_count": 0,
        "source_count": 1,
        "account_count": 1,
        "sources": ["192.0.2.7"],
        "accounts": ["alice@example.com"],
        "evidence": [Evidence("failures", 40.0, 10.0, 3.25, "40 failures within 10 minutes")],
        "sample_seqs": [3, 5],
        "sentence": "192.0.2.7 tried 40 passwords on alice@example.com.",
    }
    return FindingRaised(**values | changes)


def anomaly(kind: str, **changes: Any) -> AnomalySeen:
    """An anomaly of a kind."""
    values: dict[str, Any] = {"ts_ns": START_NS, "kind": kind, "severity": Severity.LOW}
    return AnomalySeen(**values | changes)


def flow(**changes: Any) -> FlowClosed:
    """A finished TCP flow."""
    sides = [name for name in FlowClosed.__struct_fields__ if name.startswith(("client_", "server_"))]
    values: dict[str, Any] = {name: 7 for name in sides if not name.endswith("_carriers")} | {
        "ts_ns": START_NS + S,
        "flow_id": 1,
        "community_id": "1:wCb3OG7yAFWelaUydu0D+125CLM=",
        "transport": Transport.TCP,
        "client_ip": "192.0.2.7",
        "client_port": 40_000,
        "server_ip": "2001:db8::1",
        "server_port": 80,
        "reason": CloseReason.FIN,
        "role_evidence": RoleEvidence.SYN,
        "first_ts_ns": START_NS,
        "last_ts_ns": START_NS + S,
        "ip_protocol": 6,
        "vlan_id": 0,
        "conn_state": "SF",
        "history": "ShADadFf",
    }
    return FlowClosed(**values | changes)
