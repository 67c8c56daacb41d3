"""`umaddpm download`: a published cohort from its official place."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from umaddpm_core.data.download.ixi import BASE_URL, LICENCE, MODALITIES


class Cohort(str, Enum):
    """What can be fetched."""

    ixi = "ixi"


def download(
    cohort: Annotated[Cohort, typer.Argument(help="Which cohort.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for archives and scans.")],
    modality: Annotated[list[str], typer.Option(help="T1 or T2; may be repeated.")] = ["T1"],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    sha256: Annotated[list[str], typer.Option(metavar="T1=DIGITS", help="What an archive must have; may be repeated.")] = [],
    base_url: Annotated[str, typer.Option(help="Folder of the archives, where you have a mirror.")] = BASE_URL,
) -> None:
    """Fetch the IXI archives (about 4 GB each), verify and unpack them; a stopped run goes on where it was.

    Nothing is fetched before the sizes are named and you agree. The official site publishes no checksums: an archive is
    compared with the MD5 that MONAI and torchio expect (or your --sha256), with the size the server announces, and every
    scan in it with its own CRC. SHA256SUMS beside it then tells later whether it is still the same.
    """
    from umaddpm_core.cli.progress import progress_bar
    from umaddpm_core.data.download import Archive, check_space, inspect, obtain
    from umaddpm_core.errors import InputError

    if wrong := [one for one in modality if one not in MODALITIES]:
        raise InputError(f"There is no archive of {wrong[0]}; archives are {' and '.join(MODALITIES)}.")
    sums = _sums(sha256)
    archives = [Archive(one, output, base_url) for one in dict.fromkeys(modality)]
    remotes = {archive: inspect(archive.url) for archive in archives if archive.is_missing}
    if remotes:
        for archive, remote in remotes.items():
            size = f"{remote.size / 1e9:.2f} GB" if remote.size else "size not told"
            begun = f", {archive.part.stat().st_size / 1e9:.2f} GB of it there" if archive.part.exists() else ""
            typer.echo(f"{archive.url}: {size}{begun}")
        typer.echo(LICENCE)
        if not yes and not typer.confirm(f"Fetch this into {output}?"):
            raise typer.Exit(1)
    output.mkdir(parents=True, exist_ok=True)
    check_space(output, remotes.items())
    for archive in archives:
        with progress_bar("Download") as advance:
            told = obtain(archive, remotes.get(archive), sums.get(archive.modality), advance)
        typer.echo(told)
    flags = "".join(f" --modality {archive.modality}" for archive in archives)
    typer.echo(f"Next: umaddpm preprocess {output} -o cache{flags}")


def _sums(given: list[str]) -> dict[str, str]:
    """SHA-256 by modality, from `T1=…`."""
    from umaddpm_core.errors import InputError

    for text in given:
        if not re.fullmatch(rf"({'|'.join(MODALITIES)})=[0-9a-fA-F]{{64}}", text):
            raise InputError(f"{text!r} is no checksum; give --sha256 T1= and 64 hexadecimal digits.")
    return dict(text.split("=") for text in given)
