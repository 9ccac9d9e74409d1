"""The demo world: the same seed, the same world; and what it holds is what the contracts allow."""

from datetime import date

import protovalidate

from stack.world import World

TODAY = date(2026, 11, 24)


def _world(seed: int, listings: int) -> list:
    return list(World(seed=seed, listings=listings, today=TODAY).records())


def test_the_same_seed_makes_the_same_world() -> None:
    assert _world(7, 30) == _world(7, 30)
    assert _world(7, 30) != _world(8, 30)


def test_a_bigger_world_has_the_smaller_one_in_it() -> None:
    assert _world(7, 40)[:10] == _world(7, 10)


def test_each_record_is_one_that_the_services_accept() -> None:
    for host, record in _world(1, 200):
        protovalidate.validate(record)
        protovalidate.validate(host)


def test_the_world_has_several_cities_currencies_and_a_plausible_occupancy() -> None:
    records = [record for _, record in _world(1, 500)]
    assert len({r.listing.address.city for r in records}) >= 8
    assert len({r.listing.base_price.currency_code for r in records}) >= 6
    taken = sum(int.from_bytes(r.unavailable, "little").bit_count() for r in records)
    assert 0.1 < taken / (500 * 365) < 0.5


def test_reviews_belong_to_the_listings_they_were_asked_for() -> None:
    ids = {f"listing-{n}": f"lst_{n:026d}" for n in range(50)}
    reviews = list(World(seed=1, listings=50, today=TODAY).reviews(ids))
    assert {review.listing_id for review in reviews} <= set(ids.values())
    assert len({review.source_id for review in reviews}) == len(reviews) > 50
