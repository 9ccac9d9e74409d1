"""What a payments process is told by its environment."""

from pydantic import SecretStr

from mesh.app import ServiceSettings


class PaymentsSettings(ServiceSettings):
    """STAYMESH_DATABASE_URL and so on."""

    database_url: str
    kafka_url: str
    stripe_url: str
    """https://api.stripe.com, or a sandbox."""
    stripe_key: SecretStr
    stripe_timeout_seconds: float = 6.0
    """For one call to Stripe; three fit into a call of ours, with nothing to spare."""
    recover_every_seconds: float = 2.0
