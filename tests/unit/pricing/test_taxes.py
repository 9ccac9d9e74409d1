import tomllib
from datetime import date
from importlib import resources
from itertools import pairwise

import pytest

from pricing import TaxRule, resolve


def bps(country: str, state: str, city: str, on: date) -> list[int]:
    return [rule.bps for rule in resolve(country, state, city, on)]


@pytest.mark.parametrize(
    ("country", "state", "city", "on", "expected"),
    [
        ("US", "NY", "Albany", date(2026, 1, 1), [400, 400]),
        ("US", "New York", "albany", date(2026, 1, 1), [400, 400]),
        ("us", "ny", "Buffalo", date(2026, 1, 1), [400]),
        ("US", "NY", "Albany", date(2025, 2, 28), []),
        ("US", "TX", "Austin", date(2026, 1, 1), [600, 1100]),
        ("US", "OH", "Austin", date(2026, 1, 1), []),
        ("US", "HI", "", date(2025, 12, 31), [1025]),
        ("US", "HI", "", date(2026, 1, 1), [1100]),
        ("NL", "", "Amsterdam", date(2023, 12, 31), [1000]),
        ("NL", "Noord-Holland", "Amsterdam", date(2024, 1, 1), [1250]),
        ("DE", "BE", "Berlin", date(2025, 1, 1), [750]),
        ("CA", "Ontario", "Toronto", date(2026, 7, 31), [1300, 850]),
        ("CA", "ON", "Toronto", date(2026, 8, 1), [1300, 600]),
        ("SG", "", "Singapore", date(2026, 1, 1), []),
        ("", "", "", date(2026, 1, 1), []),
    ],
)
def test_the_taxes_of_a_place_on_a_day(
    country: str, state: str, city: str, on: date, expected: list[int]
) -> None:
    assert bps(country, state, city, on) == expected


def test_a_rule_names_its_jurisdiction() -> None:
    assert [r.jurisdiction for r in resolve("NL", "", "Amsterdam", date(2026, 1, 1))] == [
        "NL/Amsterdam"
    ]


def test_every_row_has_a_source_and_rows_of_one_tax_do_not_overlap() -> None:
    data = tomllib.loads(resources.files("pricing").joinpath("taxes.toml").read_text("utf-8"))
    periods: dict[tuple[str, str], list[tuple[date, date]]] = {}
    for row in data["tax"]:
        assert row["source"]
        assert len(row["where"].split("/")) <= 3
        end = row.get("until", date.max)
        assert row["from"] < end
        periods.setdefault((row["where"], row["name"]), []).append((row["from"], end))
    for rows in periods.values():
        rows.sort()
        assert all(end <= start for (_, end), (start, _) in pairwise(rows))


@pytest.mark.parametrize("rate", [-1, 10_001])
def test_a_tax_is_a_part_of_the_price(rate: int) -> None:
    with pytest.raises(ValueError, match="bps"):
        TaxRule(name="x", jurisdiction="x", bps=rate)
