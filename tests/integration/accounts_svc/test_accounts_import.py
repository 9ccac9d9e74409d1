"""Loading people from elsewhere; the statements themselves."""

import uuid
from pathlib import Path

import pytest
from staymesh.accounts.v1 import accounts_pb2 as pb
from staymesh.accounts.v1 import accounts_pb2_grpc as rpc

import accounts_svc
from mesh.data.sql import all_queries
from mesh.errors import Forbidden, Unauthenticated
from tests.integration.accounts_svc.conftest import PASSWORD, World

OURS = Path(accounts_svc.__file__).parent


def people(email: str = "") -> list[pb.ImportedUser]:
    plain = [
        pb.ImportedUser(source_id=str(n), first_name=f"Host {n}", host=True, superhost=n % 2 == 0)
        for n in range(40)
    ]
    demo = pb.ImportedUser(source_id="demo", first_name="Noor", email=email, password=PASSWORD)
    return [*plain, demo]


async def load(world: World, source: str, users: list[pb.ImportedUser]) -> pb.ImportUsersResponse:
    stub = rpc.UserServiceStub(await world.mesh.connect("accounts", caller="stack"))
    request = pb.ImportUsersRequest(source=source, users=users)
    answer: pb.ImportUsersResponse = await stub.ImportUsers(request)
    return answer


async def test_loading_twice_changes_nothing(world: World) -> None:
    source = uuid.uuid4().hex
    first = await load(world, source, people(world.email))
    before = await world.rows("users", "user_id = ANY($1)", list(first.user_ids))
    again = await load(world, source, people(world.email))
    assert (first.created, again.created) == (41, 0)
    assert first.user_ids == again.user_ids
    after = await world.rows("users", "user_id = ANY($1)", list(first.user_ids))
    assert before == after
    assert len({row["user_id"] for row in after}) == 41
    for user_id in first.user_ids:
        assert [event.kind for event in await world.events(user_id)] == ["user.created"]


async def test_ids_come_in_the_order_of_the_request_also_for_repeated_people(
    world: World,
) -> None:
    source = uuid.uuid4().hex
    users = people()
    loaded = await load(world, source, [*users, users[3]])
    assert loaded.created == 41
    assert loaded.user_ids[-1] == loaded.user_ids[3]
    (row,) = await world.rows("users", "user_id = $1", loaded.user_ids[4])
    assert (row["first_name"], row["superhost"], row["email"]) == ("Host 4", True, None)
    assert row["roles"] == ["guest", "host"]


async def test_a_demo_account_can_log_in_at_once(world: World) -> None:
    loaded = await load(world, uuid.uuid4().hex, people(world.email))
    answer = await world.log_in()
    assert answer.user.user_id == loaded.user_ids[-1]
    assert answer.user.email_verified


async def test_an_address_that_somebody_has_stays_theirs(world: World) -> None:
    await world.sign_up()
    owner = await world.verify()
    loaded = await load(world, uuid.uuid4().hex, people(world.email))
    assert loaded.created == 41
    assert (await world.log_in()).user.user_id == owner
    (row,) = await world.rows("users", "user_id = $1", loaded.user_ids[-1])
    assert (row["email"], row["password_hash"]) == (None, None)


async def test_a_person_who_was_imported_without_a_password_cannot_log_in(world: World) -> None:
    user = pb.ImportedUser(source_id="1", first_name="Ann", email=world.email)
    await load(world, uuid.uuid4().hex, [user])
    with pytest.raises(Unauthenticated):
        await world.log_in()


async def test_only_services_import(world: World) -> None:
    request = pb.ImportUsersRequest(source="s", users=people())
    with pytest.raises(Forbidden):
        await world.users.ImportUsers(request)
    with world.mesh.signed_in("usr_1", roles={"admin"}), pytest.raises(Forbidden):
        await world.users.ImportUsers(request)


async def test_every_statement_is_understood_by_the_database(world: World) -> None:
    queries = all_queries(OURS)
    assert len(queries) >= 10
    for query in queries:
        await world.admin.prepare(query.text_by_shard[15])
