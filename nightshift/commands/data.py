"""`nightshift data ...`: files made readable before any plan reads them."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Make files readable.")


@app.callback()
def _group() -> None:
    """Make files readable."""


@app.command()
def convert(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A pickle of a frame, of dicts or of columns.")
    ],
    trusted: Annotated[
        bool, typer.Option("--trusted", help="You know who wrote it: to unpickle is to run code.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="By default FILE's name with .parquet.")
    ] = None,
) -> None:
    """Turn a pickle into Parquet, in a process of its own."""
    from learning.reading.wording import amount
    from nightshift.conversion import convert as convert_file

    stem = file.name.removesuffix(".gz").removesuffix(".pkl").removesuffix(".pickle")
    target = output or file.with_name(f"{stem}.parquet")
    rows = convert_file(file, target, trusted)
    typer.echo(f"wrote {target}: {amount(rows, 'row')}")
