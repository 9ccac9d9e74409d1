"""Where data go and which ports are used."""

from pathlib import Path

import pytest

from stack import config, plan
from stack.errors import StackError


def test_an_option_wins_over_the_environment() -> None:
    environ = {"STAYMESH_EDGE_PORT": "9000", "STAYMESH_HOME": "/a"}
    settings = config.load(environ, home=Path("/b"), edge_port=9001)
    assert (settings.ports.edge, settings.home) == (9001, Path("/b"))


def test_no_two_parts_share_a_port(tmp_path: Path) -> None:
    made = plan.make(config.load({}, home=tmp_path))
    ports = [port for _, port in made.ports()]
    assert len(set(ports)) == len(ports)


@pytest.mark.parametrize("value", ["web", "0", "70000", "-1"])
def test_a_port_that_is_none_is_one_clear_line(value: str) -> None:
    with pytest.raises(StackError, match=f"STAYMESH_EDGE_PORT={value} is not a port"):
        config.load({"STAYMESH_EDGE_PORT": value})


def test_a_part_given_by_url_is_checked_instead_of_started(tmp_path: Path) -> None:
    environ = {"STAYMESH_POSTGRES_URL": "postgresql://me:secret@db:5432/postgres"}
    made = plan.make(config.load(environ, home=tmp_path))
    assert "postgres" not in {name for name, _ in made.ports()}
    assert made.urls["database-booking"].startswith("postgresql://staymesh_booking:")
    assert made.urls["database-booking"].endswith("@db:5432/staymesh_booking")
    shown = next(node.address for node in made.nodes if node.name == "postgres")
    assert "secret" not in shown


def test_a_live_stripe_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="not a test key"):
        plan.make(config.load({"STRIPE_API_KEY": "sk_live_x"}, home=tmp_path))


def test_asking_for_some_parts_brings_what_they_need(tmp_path: Path) -> None:
    made = plan.make(config.load({}, home=tmp_path)).only(["databases", "valkey"])
    assert {node.name for node in made.nodes} == {"postgres", "databases", "valkey"}


def test_each_need_names_a_part_that_there_is(tmp_path: Path) -> None:
    nodes = plan.make(config.load({}, home=tmp_path)).nodes
    needed = {need for node in nodes for need in node.needs + node.uses}
    assert needed <= {node.name for node in nodes}


def test_an_unknown_part_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="no part named mysql"):
        plan.make(config.load({}, home=tmp_path)).only(["mysql"])
