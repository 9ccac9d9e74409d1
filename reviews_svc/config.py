"""What the process is told by its environment."""

from mesh.app import ServiceSettings


class ReviewsSettings(ServiceSettings):
    """Settings of reviews, each read from STAYMESH_<NAME>."""

    database_url: str
