"""Every method of the contracts has its route, its page in the OpenAPI document, its policy."""

import re
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from edge.comments import read_comments
from edge.contracts import public_methods
from edge.envoy import EdgeSettings, bootstrap
from edge.openapi import document
from mesh.rpc.policy import Caller

PROTOSET = Path(__file__).parents[3] / "protos" / "staymesh.protoset"
METHODS = list(public_methods())
SETTINGS = EdgeSettings(
    listen="127.0.0.1:8080",
    admin_listen="127.0.0.1:8081",
    protoset=PROTOSET,
    jwks=Path("jwks.json"),
    issuer="issuer",
    audience="audience",
    upstreams={name: ["127.0.0.1:1"] for name in ("accounts", "booking", "reviews", "search")},
)


def _routes() -> list[dict]:
    listener = bootstrap(SETTINGS)["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return manager["route_config"]["virtual_hosts"][0]["routes"]


def _first_match(verb: str, path: str) -> dict | None:
    for route in _routes():
        match = route["match"]
        if match["headers"][0]["string_match"]["exact"] != verb:
            continue
        regex = match.get("safe_regex", {}).get("regex")
        if path == match.get("path") or (regex and re.fullmatch(regex, path)):
            return route
    return None


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.descriptor.name)
def test_each_rest_path_leads_to_its_own_method(method) -> None:
    for binding in method.bindings:
        path = re.sub(r"\{[a-z_]+\}", "x1", binding.path)
        route = _first_match(binding.verb, path)
        assert route is not None
        assert route["name"] == method.descriptor.full_name
        assert route["route"]["cluster"] == method.upstream
        rule = route["typed_per_filter_config"]["envoy.filters.http.jwt_authn"]["requirement_name"]
        assert (rule == "anyone") is (method.policy.caller is Caller.PUBLIC)


def test_no_method_for_services_is_reachable() -> None:
    names = {route["name"] for route in _routes()}
    for hidden in ("ImportListings", "ImportUsers", "AuthorizePayment", "CheckAvailability"):
        assert not any(name.endswith(f".{hidden}") for name in names)


def test_a_write_that_is_not_retry_safe_is_only_repeated_when_it_was_never_sent() -> None:
    for method in METHODS:
        route = next(r for r in _routes() if r["name"] == method.descriptor.full_name)
        conditions = route["route"]["retry_policy"]["retry_on"].split(",")
        assert ("reset" in conditions) is method.policy.retry_safe


def test_the_openapi_document_is_valid_and_knows_every_path() -> None:
    spec = document(PROTOSET, server="http://127.0.0.1:8080")
    validate(spec)
    told = {(verb.upper(), path) for path, item in spec["paths"].items() for verb in item}
    assert len(told) == sum(len(method.bindings) for method in METHODS)
    booking = spec["paths"]["/api/v1/bookings"]["post"]
    assert any(p["name"] == "Idempotency-Key" and p["required"] for p in booking["parameters"])
    assert booking["security"] == [{"token": []}]


def test_each_method_at_the_edge_is_described_in_words() -> None:
    comments = read_comments(PROTOSET)
    assert [m.descriptor.full_name for m in METHODS if m.descriptor.full_name not in comments] == []
