"""The OpenAPI document, made from the contracts."""

from edge.openapi.document import document

__all__ = ["document"]
