"""A route for each REST path of the contracts: its time limit, its token rule, its retries."""

from typing import Any

from edge.contracts import Binding, Method
from edge.envoy.strict_json import body_message
from mesh.rpc.policy import Caller

_PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig"
_LUA_PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.LuaPerRoute"
LUA = "envoy.filters.http.lua"
# What the edge waits beyond a method's own deadline, so that the service's answer wins.
GRACE_SECONDS = 0.25
# The names of the token rules in the JWT filter.
RULE_SIGNED_IN = "signed_in"
RULE_ANYONE = "anyone"


def routes(methods: list[Method]) -> list[dict[str, Any]]:
    """Return the routes of `methods`: literal paths before those with variables."""
    pairs = [(method, binding) for method in methods for binding in method.bindings]
    pairs.sort(key=lambda pair: bool(pair[1].variables))
    return [_route(method, binding) for method, binding in pairs]


def _route(method: Method, binding: Binding) -> dict[str, Any]:
    verb = {"name": ":method", "string_match": {"exact": binding.verb}}
    path = (
        {"safe_regex": {"regex": binding.pattern}} if binding.variables else {"path": binding.path}
    )
    public = method.policy.caller is Caller.PUBLIC
    body = body_message(method, binding)
    return {
        "name": method.descriptor.full_name,
        "match": {**path, "headers": [verb]},
        "route": {
            "cluster": method.upstream,
            "timeout": f"{method.policy.max_deadline_seconds + GRACE_SECONDS:g}s",
            "retry_policy": _retries(method),
        },
        "metadata": {"filter_metadata": {LUA: {"body": body.full_name} if body else {}}},
        "typed_per_filter_config": {
            "envoy.filters.http.jwt_authn": {
                "@type": _PER_ROUTE,
                "requirement_name": RULE_ANYONE if public else RULE_SIGNED_IN,
            },
            **({} if body else {LUA: {"@type": _LUA_PER_ROUTE, "disabled": True}}),
        },
    }


def _retries(method: Method) -> dict[str, Any]:
    """Retry what never reached the service; anything more only where the contract allows it."""
    never_sent = "connect-failure,refused-stream,reset-before-request"
    # A server that is stopping ends a call it has not begun with CANCELLED.
    unknown = "unavailable,cancelled,reset"
    return {
        "retry_on": f"{never_sent},{unknown}" if method.policy.retry_safe else never_sent,
        "num_retries": 2,
        "retry_back_off": {"base_interval": "0.05s", "max_interval": "0.5s"},
    }
