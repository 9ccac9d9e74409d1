"""Envoy's configuration, made from the contracts."""

from edge.envoy.bootstrap import EdgeSettings, bootstrap

__all__ = ["EdgeSettings", "bootstrap"]
