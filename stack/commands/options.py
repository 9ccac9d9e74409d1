"""Options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path | None,
    typer.Option(
        help="The folder of all data. Without it: STAYMESH_HOME, else .staymesh in the repository."
    ),
]
PortBase = Annotated[
    int | None,
    typer.Option(
        help="The first of a hundred ports for the parts behind the edge."
        " Without it: STAYMESH_PORT_BASE, else 15400."
    ),
]
EdgePort = Annotated[
    int | None,
    typer.Option(help="The port of the JSON API. Without it: STAYMESH_EDGE_PORT, else 8080."),
]
