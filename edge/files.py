"""The files that Envoy runs on: its configuration and the OpenAPI document that it serves."""

import json
from dataclasses import replace
from pathlib import Path

from edge.envoy import EdgeSettings, bootstrap
from edge.openapi import document


def write_files(folder: Path, settings: EdgeSettings, *, server: str) -> Path:
    """Write both files into `folder` and return the path of Envoy's configuration.

    `server` is the address that clients call; `settings.openapi` is set to the file written here.
    Raise OSError when a file cannot be written, KeyError when a service has no address.
    """
    folder.mkdir(parents=True, exist_ok=True)
    openapi = folder / "openapi.json"
    openapi.write_text(json.dumps(document(settings.protoset, server=server), indent=1))
    configuration = folder / "envoy.json"
    text = json.dumps(bootstrap(replace(settings, openapi=openapi)), indent=1)
    configuration.write_text(text)
    return configuration
