"""The cities of the demo world: places, prices and streets of their own kind."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class City:
    """One city; `night` is what a usual night for two costs, in whole units of the currency."""

    name: str
    state: str
    country_code: str
    lat: float
    lng: float
    currency: str
    night: int
    share: int
    """How much of the world lies here, beside the other shares."""
    peak_month: int
    quarters: tuple[str, ...]


CITIES = (
    City("San Francisco", "CA", "US", 37.7749, -122.4194, "USD", 190, 12, 9,
         ("Mission", "Noe Valley", "Sunset", "North Beach", "Marina")),
    City("New York", "NY", "US", 40.7128, -74.0060, "USD", 210, 14, 10,
         ("Harlem", "Williamsburg", "Astoria", "Chelsea", "Park Slope")),
    City("Lisbon", "", "PT", 38.7223, -9.1393, "EUR", 95, 11, 7,
         ("Alfama", "Graça", "Chiado", "Belém", "Estrela")),
    City("Paris", "", "FR", 48.8566, 2.3522, "EUR", 140, 12, 6,
         ("Marais", "Montmartre", "Bastille", "Belleville", "Batignolles")),
    City("Berlin", "", "DE", 52.5200, 13.4050, "EUR", 90, 9, 7,
         ("Kreuzberg", "Neukölln", "Mitte", "Friedrichshain", "Wedding")),
    City("London", "", "GB", 51.5074, -0.1278, "GBP", 130, 12, 7,
         ("Hackney", "Camden", "Brixton", "Greenwich", "Islington")),
    City("Tokyo", "", "JP", 35.6762, 139.6503, "JPY", 15000, 10, 4,
         ("Asakusa", "Shimokitazawa", "Yanaka", "Ebisu", "Koenji")),
    City("Singapore", "", "SG", 1.3521, 103.8198, "SGD", 160, 6, 12,
         ("Tiong Bahru", "Katong", "Little India", "Bugis", "Novena")),
    City("Sydney", "NSW", "AU", -33.8688, 151.2093, "AUD", 180, 6, 1,
         ("Bondi", "Newtown", "Surry Hills", "Manly", "Glebe")),
    City("Kuwait City", "", "KW", 29.3759, 47.9774, "KWD", 32, 2, 2,
         ("Sharq", "Salmiya", "Dasman")),
    City("Mexico City", "", "MX", 19.4326, -99.1332, "MXN", 1300, 6, 11,
         ("Roma Norte", "Condesa", "Coyoacán", "Juárez", "Centro")),
)  # fmt: skip
