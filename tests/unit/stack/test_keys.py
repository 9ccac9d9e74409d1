"""The keys of a data folder: private ones for their owner alone, public ones that verify."""

import json
from pathlib import Path

import pytest

from mesh.rpc.keys import KeySet, read_private_key, thumbprint
from stack import keys, passwords

MESSAGE = b"a token"


def test_what_accounts_signs_verifies_by_the_published_key(tmp_path: Path) -> None:
    made = keys.make(tmp_path / "keys")
    private = read_private_key(made.token_key)
    public = KeySet.from_file(made.token_jwks).get(thumbprint(private.public_key()))
    assert public is not None
    public.verify(private.sign(MESSAGE), MESSAGE)


def test_each_service_has_a_key_of_its_own_published_under_its_name(tmp_path: Path) -> None:
    made = keys.make(tmp_path / "keys")
    published = KeySet.from_file(made.service_jwks)
    for name in keys.IDENTITIES:
        public = published.get(name)
        assert public is not None
        public.verify(read_private_key(made.service_key(name)).sign(MESSAGE), MESSAGE)
    listed = json.loads(made.service_jwks.read_text())["keys"]
    assert len({jwk["x"] for jwk in listed}) == len(keys.IDENTITIES)


def test_a_second_start_finds_the_same_keys_and_passwords(tmp_path: Path) -> None:
    first = keys.make(tmp_path / "keys").token_key.read_bytes()
    assert keys.make(tmp_path / "keys").token_key.read_bytes() == first
    roles = passwords.load_or_make(tmp_path, ("a",)).by_role
    assert passwords.load_or_make(tmp_path, ("a", "b")).of("a") == roles["a"]


@pytest.mark.parametrize("pattern", ["keys/*", "passwords.json"])
def test_nobody_else_may_read_a_secret(tmp_path: Path, pattern: str) -> None:
    keys.make(tmp_path / "keys")
    passwords.load_or_make(tmp_path, ("a",))
    modes = {path.stat().st_mode & 0o777 for path in tmp_path.glob(pattern)}
    assert modes == {0o600}
