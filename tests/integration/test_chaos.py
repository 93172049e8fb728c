"""Whatever is edited and whichever role dies: when it is quiet the target holds what a fresh build gives.

What happens is drawn from one seed, which every run says in its first lines; with the environment variable
named there the same is drawn again. The demo's own comparison is the judge of every round.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
from asyncmy.errors import IntegrityError
from background import editing
from pipeline import Pipeline, running

from commerce_sync.demo import play
from commerce_sync.local.stack import Stack
from commerce_sync.run import supervise
from commerce_sync.run.request import request_resync
from commerce_sync.run.roles import processes
from commerce_sync.sample import edits
from commerce_sync.sample.database import address_of, connected
from commerce_sync.sample.edits import Shop

pytestmark = pytest.mark.stack

# Few, so that edits meet at the same ones.
PRODUCTS = 60
KILL_ROUNDS = 5
KILLS = 10
PAUSE_S_MAX = 1.5
EDIT_ROUNDS = 6
TRANSACTIONS_MAX = 60
GROUP_MAX = 6
# A file of products makes more products than all others edit.
GROUPED = {edit: weight for edit, weight in edits.EDITS.items() if edit is not edits.import_products}


@pytest.fixture(scope="module")
def path(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """One pipeline for this module's tests; its roles are started again soon, however often they die."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supervise, "_RESTART_S", (0.2, 0.5, 1.0))
        with running(stack, tmp_path_factory.mktemp("chaos"), PRODUCTS, {}, {}) as pipeline:
            yield pipeline


@pytest.fixture(scope="module")
def killed() -> Counter[str]:
    """How often each role was killed so far."""
    return Counter()


@pytest.mark.parametrize("number", range(KILL_ROUNDS))
def test_roles_killed_at_any_moment_lose_nothing(
    path: Pipeline, seed: int, killed: Counter[str], number: int
) -> None:
    """SIGKILL to one role after the other amid edits and resyncs, at moments that nobody chose."""
    random = Random(f"{seed} kills {number}")
    with editing(path, 25, random.randrange(2**32)) as edits_beside:
        request_resync(path.scene.settings, ("products",))
        for _ in range(KILLS):
            path.tend_for(random.uniform(0, PAUSE_S_MAX))
            killed[_kill_one(path, random)] += 1
        made = edits_beside.made
        path.wait_until("edits go on", lambda: edits_beside.made > made)
    path.settle()

    assert play.proof(path.scene).differences == ()


def test_every_role_was_killed(path: Pipeline, killed: Counter[str]) -> None:
    """The rounds above were worth something."""
    assert killed.total() == KILL_ROUNDS * KILLS
    assert set(killed) == {process.role for process in processes(path.scene.settings, (), {}, "here")}


def _kill_one(path: Pipeline, random: Random) -> str:
    """Kill a role that runs, once one does."""
    assert path.scene.supervisor is not None
    supervisor = path.scene.supervisor
    path.wait_until("a role runs", lambda: bool(supervisor.pids()))
    pids = supervisor.pids()
    label = random.choice(sorted(pids))
    os.kill(pids[label], signal.SIGKILL)
    return label.split(".")[0]


@pytest.mark.parametrize("number", range(EDIT_ROUNDS))
def test_any_edits_in_any_grouping_end_as_a_fresh_build(path: Pipeline, seed: int, number: int) -> None:
    """Edits of every kind, several in a transaction, tables swapped and emptied between them, then quiet."""
    random = Random(f"{seed} edits {number}")

    async def edit() -> str:
        # A connection each: the driver keeps statements, and those of a table that was moved fail.
        async with connected(address_of(path.scene.admin_url, path.database)) as connection:
            return await _transaction(await edits.open_shop(connection, random))

    done = [asyncio.run(edit()) for _ in range(random.randint(1, TRANSACTIONS_MAX))]
    path.settle()

    assert play.proof(path.scene).differences == (), "\n".join(done)


async def _transaction(shop: Shop) -> str:
    """A few edits that become visible at once, or a table moved without a row event."""
    if shop.random.random() < 0.05:
        return await shop.random.choice((_swap_table, _empty_table))(shop)
    count = shop.random.randint(1, GROUP_MAX)
    group = shop.random.choices(tuple(GROUPED), tuple(GROUPED.values()), k=count)

    async def together(shop: Shop) -> str:
        return "; ".join([await edit(shop) for edit in group])

    try:
        return await edits.apply(shop, together) or "nothing: no candidate"
    except IntegrityError as error:
        # Two edits of the group do not go together, as in a shop where two people save at once.
        return f"nothing: {error}"


async def _swap_table(shop: Shop) -> str:
    """Commerce's way of replacing a table's rows: another one takes its name."""
    ((sku,),) = shop.random.sample(
        await shop.query("SELECT sku FROM {p}inventory_source_item ORDER BY sku"), 1
    )
    await shop.change("DROP TABLE IF EXISTS {p}inventory_reservation_new, {p}inventory_reservation_old")
    await shop.change("CREATE TABLE {p}inventory_reservation_new LIKE {p}inventory_reservation")
    await shop.change(
        "INSERT INTO {p}inventory_reservation_new (stock_id, sku, quantity) VALUES (1, %s, -99999)", sku
    )
    await shop.change(
        "RENAME TABLE {p}inventory_reservation TO {p}inventory_reservation_old,"
        " {p}inventory_reservation_new TO {p}inventory_reservation"
    )
    return f"reservations swapped: all of {sku} reserved, of others nothing"


async def _empty_table(shop: Shop) -> str:
    await shop.change("TRUNCATE {p}inventory_reservation")
    return "reservations emptied"
