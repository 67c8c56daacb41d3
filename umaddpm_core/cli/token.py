"""`umaddpm token`: who may use the server, and for what."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class RoleName(str, Enum):
    """What a token allows; each includes those before it."""

    read = "read"
    infer = "infer"
    train = "train"
    admin = "admin"


def token(
    name: Annotated[str, typer.Argument(help="Who gets it; stands in the audit log.")],
    role: Annotated[
        RoleName,
        typer.Option(help="read: look; infer: examine scans, send masks; train: data and training; admin: all."),
    ],
    file: Annotated[
        Path | None, typer.Option(envvar="UMADDPM_TOKENS", help="File of tokens; made where it is missing.")
    ] = None,
) -> None:
    """Make a token for the server, print it once, and add its hash to the file of tokens.

    A token is taken away by deleting its line in the file; the server notices at once.
    """
    from umaddpm_core.errors import InputError
    from umaddpm_core.serving.security.roles import Role
    from umaddpm_core.serving.security.tokens import TOKENS_VARIABLE, add_token

    if file is None:
        raise InputError(f"Say which file holds the tokens, with --file or in {TOKENS_VARIABLE}.")
    fresh = add_token(file, name, Role[role.value])
    typer.echo(f"Token for {name} ({role.value}), shown this once; start the server with {TOKENS_VARIABLE}={file}:", err=True)
    typer.echo(fresh)
