"""The whole of Envoy's configuration: a listener, a route a REST path, a cluster a service."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.contracts import public_methods
from edge.envoy.replies import local_reply_config
from edge.envoy.routes import LUA, RULE_ANYONE, RULE_SIGNED_IN, routes
from edge.envoy.strict_json import script

_TYPE = "type.googleapis.com/envoy.extensions"
_TRANSCODER = "envoy.filters.http.grpc_json_transcoder"
_HTTP = f"{_TYPE}.filters.http"
# The largest JSON request; nothing that the contracts allow comes near it.
MAX_BODY_BYTES = 1 << 20
MAX_HEADERS_KB = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSettings:
    """Where the edge listens and where the services are."""

    listen: str
    """host:port of the JSON API."""
    admin_listen: str
    """host:port of Envoy's own pages; loopback only."""
    protoset: Path
    jwks: Path
    """The public keys of access tokens."""
    issuer: str
    audience: str
    openapi: Path = Path("openapi.json")
    """The document that `/openapi.json` is."""
    upstreams: dict[str, list[str]] = field(default_factory=dict)
    """host:port of each process, by service."""


def bootstrap(settings: EdgeSettings) -> dict[str, Any]:
    """Return Envoy's bootstrap configuration, ready for `json.dump`.

    Raise KeyError when a service that the contracts need has no address.
    """
    methods = list(public_methods())
    upstreams = sorted({method.upstream for method in methods})
    return {
        "admin": {"address": _address(settings.admin_listen)},
        "static_resources": {
            "listeners": [_listener(settings, routes(methods))],
            "clusters": [_cluster(name, settings.upstreams[name]) for name in upstreams],
        },
        # Beyond it new connections are refused, and those that are served stay quick.
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": f"{_TYPE}.resource_monitors.downstream_connections.v3"
                        ".DownstreamConnectionsConfig",
                        "max_active_downstream_connections": 20000,
                    },
                }
            ]
        },
    }


def _listener(settings: EdgeSettings, table: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": "edge",
        "address": _address(settings.listen),
        # As Envoy's own page on edge proxies advises.
        "per_connection_buffer_limit_bytes": MAX_BODY_BYTES,
        "filter_chains": [{"filters": [_connection_manager(settings, table)]}],
    }


def _connection_manager(settings: EdgeSettings, table: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": f"{_TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "edge",
            "server_name": "staymesh",
            "use_remote_address": True,
            "normalize_path": True,
            "merge_slashes": True,
            "path_with_escaped_slashes_action": "REJECT_REQUEST",
            "max_request_headers_kb": MAX_HEADERS_KB,
            "request_headers_timeout": "10s",
            "request_timeout": "60s",
            "stream_idle_timeout": "60s",
            # Names that only the mesh itself may set.
            "early_header_mutation_extensions": [
                {
                    "name": "envoy.http.early_header_mutation.header_mutation",
                    "typed_config": {
                        "@type": f"{_TYPE}.http.early_header_mutation.header_mutation.v3"
                        ".HeaderMutation",
                        "mutations": [{"remove": "x-edge-fault"}, {"remove": "x-staymesh-service"}],
                    },
                }
            ],
            "generate_request_id": True,
            "preserve_external_request_id": False,
            "common_http_protocol_options": {
                "idle_timeout": "3600s",
                "headers_with_underscores_action": "REJECT_REQUEST",
            },
            "http2_protocol_options": {
                "max_concurrent_streams": 100,
                "initial_stream_window_size": 65536,
                "initial_connection_window_size": 1048576,
            },
            "local_reply_config": local_reply_config(),
            "http_filters": _filters(settings),
            "route_config": {
                "name": "contracts",
                "max_direct_response_body_size_bytes": 4 << 20,
                "virtual_hosts": [
                    {"name": "api", "domains": ["*"], "routes": [*_pages(settings), *table]}
                ],
                # Nobody reads them behind the edge, and each costs every call a little.
                "request_headers_to_remove": [
                    "accept",
                    "x-envoy-external-address",
                    "x-envoy-original-method",
                    "x-envoy-original-path",
                    "x-forwarded-proto",
                ],
                "response_headers_to_add": [_header("x-content-type-options", "nosniff")],
            },
        },
    }


def _filters(settings: EdgeSettings) -> list[dict[str, Any]]:
    return [
        {"name": "envoy.filters.http.jwt_authn", "typed_config": _tokens(settings)},
        {
            "name": LUA,
            "typed_config": {
                "@type": f"{_HTTP}.lua.v3.Lua",
                "default_source_code": {"inline_string": script(list(public_methods()))},
            },
        },
        {"name": _TRANSCODER, "typed_config": _transcoder(settings)},
        {
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": f"{_HTTP}.router.v3.Router", "suppress_envoy_headers": True},
        },
    ]


def _tokens(settings: EdgeSettings) -> dict[str, Any]:
    provider = {"provider_name": "accounts"}
    return {
        "@type": f"{_HTTP}.jwt_authn.v3.JwtAuthentication",
        "providers": {
            "accounts": {
                "issuer": settings.issuer,
                "audiences": [settings.audience],
                "local_jwks": {"filename": str(settings.jwks)},
                # The services look at the token again.
                "forward": True,
                "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
                "clock_skew_seconds": 5,
                # A signature is checked once for each token; its times are checked at each call.
                "jwt_cache_config": {"jwt_cache_size": 10_000},
                "require_expiration": True,
            }
        },
        "requirement_map": {
            RULE_SIGNED_IN: provider,
            RULE_ANYONE: {"requires_any": {"requirements": [provider, {"allow_missing": {}}]}},
        },
    }


def _transcoder(settings: EdgeSettings) -> dict[str, Any]:
    return {
        "@type": f"{_HTTP}.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        "proto_descriptor": str(settings.protoset),
        "services": sorted({m.descriptor.containing_service.full_name for m in public_methods()}),
        "convert_grpc_status": True,
        # Routes match the REST path, so each has the policy of its method.
        "match_incoming_request_route": True,
        "print_options": {
            "always_print_primitive_fields": True,
            "preserve_proto_field_names": False,
        },
        "request_validation_options": {
            "reject_unknown_query_parameters": True,
            "reject_binding_body_field_collisions": True,
        },
        "max_request_body_size": MAX_BODY_BYTES,
        "max_response_body_size": 8 << 20,
    }


def _pages(settings: EdgeSettings) -> list[dict[str, Any]]:
    """Return what the edge answers without asking a service."""
    return [
        _page("/openapi.json", {"filename": str(settings.openapi)}),
        _page("/healthz", {"inline_string": '{"status":"ok"}\n'}),
    ]


def _page(path: str, body: dict[str, Any]) -> dict[str, Any]:
    get = {"name": ":method", "string_match": {"exact": "GET"}}
    off = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}
    return {
        "name": path,
        "match": {"path": path, "headers": [get]},
        "direct_response": {"status": 200, "body": body},
        "response_headers_to_add": [_header("content-type", "application/json")],
        "typed_per_filter_config": {_TRANSCODER: off},
    }


def _cluster(name: str, addresses: list[str]) -> dict[str, Any]:
    endpoints = [{"endpoint": {"address": _address(address)}} for address in addresses]
    protocol = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    return {
        "name": name,
        # Names as well as addresses; a Kubernetes headless service is a name.
        "type": "STRICT_DNS",
        "connect_timeout": "1s",
        "lb_policy": "LEAST_REQUEST",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": 1024,
                    "max_pending_requests": 1024,
                    "max_requests": 4096,
                    # A dead service must not be answered with a storm.
                    "retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 10},
                }
            ]
        },
        "typed_extension_protocol_options": {
            protocol: {
                "@type": f"type.googleapis.com/{protocol}",
                "explicit_http_config": {
                    "http2_protocol_options": {
                        "max_concurrent_streams": 1024,
                        "initial_stream_window_size": 65536,
                        "initial_connection_window_size": 1048576,
                        "connection_keepalive": {"interval": "10s", "timeout": "5s"},
                    }
                },
            }
        },
    }


def _address(listen: str) -> dict[str, Any]:
    host, _, port = listen.rpartition(":")
    return {"socket_address": {"address": host.strip("[]"), "port_value": int(port)}}


def _header(key: str, value: str) -> dict[str, Any]:
    return {
        "header": {"key": key, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
