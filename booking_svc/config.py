"""What a booking process is told by its environment."""

from mesh.app import Addresses, ServiceSettings


class BookingSettings(ServiceSettings):
    """STAYMESH_DATABASE_URL and so on."""

    database_url: str
    redis_url: str
    kafka_url: str
    peer_payments: Addresses
    sweep_every_seconds: float = 3.0
    purge_every_seconds: float = 600.0
