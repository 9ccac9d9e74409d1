"""What is told on the bus is found; what is taken vanishes; what is down is said to be."""

from typing import Any

import pytest
from staymesh.booking.v1 import listings_pb2 as booking
from staymesh.search.v1 import search_pb2 as pb

from mesh.errors import Invalid
from mesh.ids import shard_of
from pricing import Rates, price_stay, resolve
from tests.integration.search_svc.conftest import Guest, Search, eventually, stay
from tests.integration.search_svc.events import Village, calendar, changed, day, minor, money


async def all_found(guest: Guest, count: int) -> list[str]:
    async def look() -> list[str]:
        pages = await guest.walk()
        found = [result.listing_id for page in pages for result in page.results]
        whole = not any(page.degraded for page in pages)
        return found if whole and len(found) == count else []

    found: list[str] = await eventually(look)
    return found


async def test_a_listing_that_is_published_is_found_with_the_total_a_quote_would_say(
    village: Village, guest: Guest
) -> None:
    (one,) = await village.build(
        1,
        weekend_price=money(15_000, "EUR"),
        address=booking.Address(city="Albany", state="NY", country_code="US"),
    )
    await village.tell(calendar(one, 1, [(31, True, 20_000), (50, False, 0)]))
    dates = stay(30, 5)

    async def look() -> pb.SearchResult | None:
        results = (await guest.page(**dates)).results
        return results[0] if results else None

    result: pb.SearchResult = await eventually(look)
    rates = Rates(
        currency="EUR",
        base_price_minor=12_000,
        weekend_price_minor=15_000,
        cleaning_fee_minor=4_000,
        overrides={day(31): 20_000},
        taxes=resolve("US", "NY", "Albany", day(30)),
    )
    price = price_stay(rates, day(30), day(35), 1)
    assert result.listing_id == one
    assert minor(result.total) == price.total_minor
    assert minor(result.price_per_night) == round(price.accommodation_minor / 5)
    assert (result.city, result.country_code, result.bedrooms) == ("Albany", "US", 2)
    assert 0 < result.distance_km < 5
    plain = (await guest.page()).results[0]
    assert not plain.HasField("total")
    assert minor(plain.price_per_night) == 12_000


async def test_booked_nights_vanish_within_two_seconds_and_come_back(
    village: Village, guest: Guest
) -> None:
    ids = await village.build(3)
    await all_found(guest, 3)
    await eventually(lambda: _is(guest, ids, stay(10, 3)))
    await village.take(ids[1], 1, first=12, nights=2)
    await eventually(lambda: _is(guest, [ids[0], ids[2]], stay(10, 3)), within_seconds=2.0)
    assert await _is(guest, ids, stay(14, 3))
    await village.tell(calendar(ids[1], 2, [(12, True, 0), (13, True, 0)]))
    await eventually(lambda: _is(guest, ids, stay(10, 3)), within_seconds=2.0)


async def _is(guest: Guest, ids: list[str], dates: dict[str, str]) -> bool:
    return sorted(await guest.found(**dates)) == sorted(ids)


async def test_a_listing_off_the_market_is_not_found(village: Village, guest: Guest) -> None:
    ids = await village.build(2)
    await all_found(guest, 2)
    gone = changed(ids[0], 2, village.near(), status=booking.LISTING_STATUS_INACTIVE)
    late = changed(ids[0], 1, village.near())
    await village.tell(gone, late)
    await all_found(guest, 1)
    await eventually(lambda: _is(guest, [ids[1]], stay(5, 2)), within_seconds=2.0)


async def test_filters_and_stay_rules_each_take_out_what_they_should(
    village: Village, guest: Guest
) -> None:
    (usual,) = await village.build(1, rating=4.5, review_count=9, superhost=True, min_nights=2)
    (other,) = await village.build(
        1,
        property_type=booking.PROPERTY_TYPE_ROOM,
        max_guests=2,
        bedrooms=1,
        beds=1,
        bathrooms=1.0,
        amenities=["wifi"],
        base_price=money(5_000, "EUR"),
        instant_book=True,
        max_nights=3,
    )
    await all_found(guest, 2)
    only_usual: list[dict[str, Any]] = [
        {"guests": 3},
        {"min_bedrooms": 2},
        {"min_beds": 2},
        {"min_bathrooms": 1.5},
        {"min_rating": 4.0},
        {"superhost": True},
        {"instant_book": False},
        {"amenities": ["wifi,kitchen"]},
        {"property_types": [booking.PROPERTY_TYPE_HOUSE, booking.PROPERTY_TYPE_VILLA]},
        {"min_price": 100},
        stay(20, 4),
        stay(20, 2) | {"min_price": 250},
    ]
    only_other: list[dict[str, Any]] = [
        {"instant_book": True},
        {"superhost": False},
        {"max_price": 50},
        {"property_types": [booking.PROPERTY_TYPE_ROOM]},
        stay(20, 1),
    ]
    for asked in only_usual:
        assert await guest.found(**asked) == [usual], asked
    for asked in only_other:
        assert await guest.found(**asked) == [other], asked
    assert sorted(await guest.found(guests=2, amenities=["wifi"])) == sorted([usual, other])
    assert await guest.found(amenities=["pool"]) == []


async def test_pages_walked_to_the_end_are_all_there_is_once(
    village: Village, guest: Guest
) -> None:
    ids = await village.build(40)
    await all_found(guest, 40)
    taken = ids[::3]
    await village.tell(*(calendar(one, 1, [(11, False, 0)]) for one in taken))
    free = sorted(set(ids) - set(taken))
    await eventually(lambda: _is(guest, free, stay(10, 3)), within_seconds=5.0)
    for size in (1, 6, 50):
        pages = await guest.walk(page_size=size, **stay(10, 3))
        found = [r.listing_id for page in pages for r in page.results]
        assert sorted(found) == free
        assert all(len(page.results) == size for page in pages[:-1])
        assert not any(page.degraded for page in pages)


async def test_a_token_is_good_for_its_own_search_only(village: Village, guest: Guest) -> None:
    await village.build(3)
    await all_found(guest, 3)
    token = (await guest.page(page_size=1)).next_page_token
    with pytest.raises(Invalid) as caught:
        await guest.page(page_size=1, page_token=token, guests=2)
    assert caught.value.reason == "PAGE_TOKEN_MISMATCH"


async def test_without_elasticsearch_the_same_set_comes_in_the_same_order(
    village: Village, guest: Guest, search: Search
) -> None:
    await village.build(20)
    await all_found(guest, 20)
    asked = {"page_size": 6, **stay(8, 2)}
    before = await eventually(lambda: _full(guest, asked, 20))
    with search.elasticsearch.closed():
        fresh = {"min_rating": 0.0, "min_beds": 1, **asked}  # not a search that is cached
        pages = await guest.walk(**fresh)
        found = [r.listing_id for page in pages for r in page.results]
        assert found == before
        assert all(page.degraded and list(page.missing) == ["elasticsearch"] for page in pages)
        assert all(r.HasField("total") for page in pages for r in page.results)

    async def well() -> bool:
        return not (await guest.page(min_beds=2, **asked)).degraded

    await eventually(well)


async def _full(guest: Guest, asked: dict[str, object], count: int) -> list[str]:
    found = await guest.found(**asked)
    return found if len(found) == count else []


async def test_without_redis_searches_are_answered_and_not_degraded(
    village: Village, guest: Guest, search: Search
) -> None:
    ids = await village.build(5)
    await all_found(guest, 5)
    with search.valkey.closed():
        for _ in range(4):
            pages = await guest.walk(page_size=2, **stay(6, 2))
            assert sorted(r.listing_id for page in pages for r in page.results) == sorted(ids)
            assert not any(page.degraded for page in pages)


async def test_a_shard_that_is_killed_is_named_and_back_with_what_it_missed(
    village: Village, guest: Guest, search: Search
) -> None:
    ids = await village.build(12)
    await all_found(guest, 12)
    await eventually(lambda: _is(guest, ids, stay(9, 2)))
    held = [one for one in ids if shard_of(one) % 2 == 0]
    lost = sorted(set(ids) - set(held))
    search.shards[1].kill()
    try:
        page = await guest.page(page_size=50, **stay(9, 2))
        assert sorted(r.listing_id for r in page.results) == sorted(held)
        assert page.degraded
        assert list(page.missing) == ["shard-1"]
        if lost:
            await village.take(lost[0], 1, first=9, nights=1)
    finally:
        search.shards[1].start()
    left = [one for one in ids if one not in lost[:1]]
    await eventually(lambda: _is(guest, left, stay(9, 2)))

    async def whole() -> bool:
        return not (await guest.page(**stay(9, 2))).degraded

    await eventually(whole)


async def test_shards_say_what_they_hold(
    village: Village, guest: Guest, shard_stubs: list[Any]
) -> None:
    await village.build(4)
    await all_found(guest, 4)
    statuses = [await stub.GetShardStatus(pb.GetShardStatusRequest()) for stub in shard_stubs]
    assert [(status.index, status.of) for status in statuses] == [(0, 2), (1, 2)]
    assert sum(status.listings for status in statuses) >= 4
    for status in statuses:
        assert {partition % 2 for partition in status.offsets} == {status.index}
        assert len(status.offsets) == 8
