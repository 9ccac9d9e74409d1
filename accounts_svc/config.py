"""What the process is told by its environment."""

from pathlib import Path

from mesh.app import ServiceSettings


class AccountsSettings(ServiceSettings):
    """Settings of accounts, each read from STAYMESH_<NAME>."""

    database_url: str
    kafka_url: str
    smtp_url: str
    """smtp://host:port, with user:password@ if the server wants it; smtps:// for TLS throughout."""
    public_url: str
    """Where people reach the edge: links in mails begin with it."""
    jwt_key_file: Path
    """The private key that signs access tokens; its public half is in the JWKS file."""

    mail_from: str = "Staymesh <no-reply@staymesh.example>"
    access_token_seconds: int = 3600
    verification_token_seconds: int = 24 * 3600
    hash_threads: int = 0
    """Threads that hash passwords, 19 MiB and a core each while they do; 0 is half the cores."""
    purge_every_seconds: float = 600.0
