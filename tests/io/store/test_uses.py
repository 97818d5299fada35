"""The history of decoys, in both databases."""

import pytest

from lapwing.io.store import DecoyUse, DecoyUses, PlantedToken, PlantedTokens, Store, tokens, uses

pytestmark = pytest.mark.anyio


async def decoy(store: Store, name: str = "svc-payroll") -> int:
    made = await PlantedTokens(store).add(PlantedToken(kind="decoy-account", name=name, created_ns=1))
    assert made is not None
    return made.token_id


def use(ts_ns: int, auth_id: int = 0) -> DecoyUse:
    return DecoyUse(ts_ns=ts_ns, client_ip="203.0.113.9", protocol="ssh", endpoint="sshd", auth_id=auth_id)


async def test_uses_are_kept_in_order_and_counted(store: Store) -> None:
    token_id, kept = await decoy(store), DecoyUses(store)
    assert await kept.add([("svc-payroll", use(30, 3)), ("svc-payroll", use(10, 1)), ("nobody", use(20, 2))]) == 2
    assert await kept.of_token(token_id) == [use(10, 1), use(30, 3)]
    (listed,) = await PlantedTokens(store).planted()
    assert (listed.hit_count, listed.first_hit_ns, listed.last_hit_ns) == (2, 10, 30)


async def test_a_log_that_is_read_again_adds_nothing(store: Store) -> None:
    await decoy(store)
    kept = DecoyUses(store)
    again = [("svc-payroll", use(ts_ns, auth_id)) for ts_ns, auth_id in ((10, 1), (10, 2), (11, 3))]
    assert [await kept.add(again), await kept.add(again)] == [3, 0]
    (listed,) = await PlantedTokens(store).planted()
    assert listed.hit_count == 3


async def test_uses_without_a_number_are_never_taken_for_one_another(store: Store) -> None:
    await decoy(store)
    assert await DecoyUses(store).add([("svc-payroll", use(10))] * 3) == 3


async def test_a_flood_keeps_the_newest_and_counts_all(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uses, "MAX_KEPT", 5)
    token_id, kept = await decoy(store), DecoyUses(store)
    for first in (0, 4, 8):
        await kept.add([("svc-payroll", use(ts_ns)) for ts_ns in range(first, first + 4)])
    assert [one.ts_ns for one in await kept.of_token(token_id)] == [7, 8, 9, 10, 11]
    (listed,) = await PlantedTokens(store).planted()
    assert listed.hit_count == 12


async def test_all_tokens_are_read_page_by_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_LISTED", 2)
    for number in range(5):
        await decoy(store, f"svc-{number}")
    assert len(await PlantedTokens(store).all()) == 5
