"""A small snapshot in Inside Airbnb's own format, with every oddity of the real ones in it."""

import csv
import gzip
import json
from datetime import date, timedelta
from pathlib import Path

FIRST_NIGHT = date(2024, 11, 5)
NIGHTS = 365

_USUAL = {
    "listing_url": "https://example.org/rooms/1",
    "scrape_id": "20241105",
    "source": "city scrape",
    "name": "Row house by the park",
    "description": "Two floors.<br /><br /><b>The space</b><script>alert(1)</script>",
    "host_id": "900",
    "host_name": "Kenneth",
    "host_is_superhost": "f",
    "latitude": "42.65789",
    "longitude": "-73.7537",
    "property_type": "Entire home",
    "room_type": "Entire home/apt",
    "accommodates": "4",
    "bathrooms": "1.0",
    "bathrooms_text": "1 bath",
    "bedrooms": "2",
    "beds": "2",
    "amenities": '["Wifi", "Kitchen", "Free parking on premises", "Hair dryer"]',
    "price": "$120.00",
    "minimum_nights": "1",
    "maximum_nights": "1125",
    "number_of_reviews": "12",
    "review_scores_rating": "4.83",
    "instant_bookable": "t",
}

# Each differs from the usual one by what its name says.
LISTINGS = {
    "usual": {},
    "thousands": {"price": "$1,234.00"},
    "shared_baths": {
        "room_type": "Private room",
        "property_type": "Private room in home",
        "bathrooms": "",
        "bathrooms_text": "1.5 shared baths",
    },
    "half_bath": {"bathrooms": "", "bathrooms_text": "Shared half-bath"},
    "no_bedrooms": {"bedrooms": "", "beds": ""},
    "price_in_calendar_only": {"price": ""},
    "no_price": {"price": ""},
    "zero_price": {"price": "$0.00"},
    "no_name": {"name": ""},
    "no_guests": {"accommodates": "0"},
    "nowhere": {"latitude": "", "longitude": ""},
    "villa": {"property_type": "Entire villa", "host_is_superhost": "", "host_id": "901"},
    "long_stays": {"minimum_nights": "92"},
    "impossible_stays": {"minimum_nights": "30", "maximum_nights": "7"},
    "odd_amenities": {"amenities": json.dumps(["Wi-Fi 6", 'TV with "cable"', "Pool table", ""])},
    "broken_amenities": {"amenities": "[not json"},
    "no_rating": {"review_scores_rating": "", "number_of_reviews": "0"},
    "multi_line": {"name": "A, B &amp; C", "description": 'First line.\nSecond, "quoted" line.'},
}
IDS = {name: str(1000 + number) for number, name in enumerate(LISTINGS)}
REJECTED = {
    "missing_price": 1,
    "price_of_zero": 1,
    "missing_name": 1,
    "no_guests": 1,
    "missing_location": 1,
    "no_stay_is_allowed": 1,
    "wrong_amenities": 1,
    "seen_before": 1,
    "wrong_number_of_fields": 1,
}


def write_snapshot(folder: Path) -> Path:
    """Write listings.csv.gz, calendar.csv.gz and reviews.csv.gz into `folder`; return it."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_listings(folder / "listings.csv.gz")
    _write_calendar(folder / "calendar.csv.gz")
    _write_reviews(folder / "reviews.csv.gz")
    return folder


def _write_listings(path: Path) -> None:
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["id", *_USUAL])
        writer.writeheader()
        for name, own in LISTINGS.items():
            writer.writerow({"id": IDS[name], **_USUAL, **own})
        writer.writerow({"id": IDS["usual"], **_USUAL})
        file.write("9999,torn row\r\n")


def _write_calendar(path: Path) -> None:
    """Every third night is off the market; the first week of `usual` costs more."""
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        names = "listing_id,date,available,price,adjusted_price,minimum_nights,maximum_nights"
        writer.writerow(names.split(","))
        for name, listing_id in IDS.items():
            for night in range(NIGHTS):
                day = FIRST_NIGHT + timedelta(days=night)
                available = "f" if night % 3 == 2 else "t"
                writer.writerow([listing_id, day, available, _price(name, night), "", 1, 1125])
        writer.writerow([IDS["usual"], "not a day", "t", "$1.00", "", 1, 1])
        writer.writerow([IDS["usual"], FIRST_NIGHT, "maybe", "$1.00", "", 1, 1])
        writer.writerow([IDS["usual"], FIRST_NIGHT, "t", "a lot", "", 1, 1])


def _price(name: str, night: int) -> str:
    if name == "price_in_calendar_only":
        return "$95.00"
    return "$150.00" if name == "usual" and night < 7 else ""


def _write_reviews(path: Path) -> None:
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["listing_id", "id", "date", "reviewer_id", "reviewer_name", "comments"])
        writer.writerow([IDS["usual"], "1", "2023-05-01", "7", "Kristen", "Lovely.<br/>Quiet."])
        writer.writerow([IDS["usual"], "2", "2023-06-01", "8", "Al", "Would come again, “truly”."])
        writer.writerow([IDS["usual"], "3", "2023-07-01", "9", "Bo", ""])
        writer.writerow(["424242", "4", "2023-07-01", "9", "Bo", "Of nowhere."])
        writer.writerow([IDS["usual"], "5", "July", "9", "Bo", "Of no day."])
