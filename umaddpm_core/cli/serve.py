"""`umaddpm serve`: the server, and what it can do, in one command."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from umaddpm_core.serving.client import Client
    from umaddpm_core.serving.demonstration import Demonstration
    from umaddpm_core.serving.launch import Server

WORK = Path("build") / "serve"
"""Where the results of the demonstration, the log, sessions and the copy of the sample scans go."""

LESIONS_SHOWN = 8


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; the default is this computer only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    studies: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER|URL",
            help="Folder with the scans to serve, or the DICOMweb address of an archive (http://host:8042/dicom-web); "
            "without it, a copy of the sample scans.",
        ),
    ] = None,
    demonstrate: Annotated[bool, typer.Option(help="Examine a sample scan once the server is up.")] = True,
    ssl_keyfile: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Private key (PEM), for https.")
    ] = None,
    ssl_certfile: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Certificate (PEM), for https.")
    ] = None,
) -> None:
    """Serve the anomaly detector to MONAI Label clients, and show it at work on a sample scan. Research use only.

    Other computers are answered by token only: `umaddpm token` makes one, UMADDPM_TOKENS names the file of them.
    """
    import os
    import time
    from contextlib import ExitStack
    from importlib.util import find_spec

    from rich.console import Console

    from umaddpm_core.errors import InputError

    if find_spec("monailabel") is None:
        raise InputError("The server needs MONAI Label; install it with `pip install -e '.[serve]'`.")
    from umaddpm_core.preprocessing.memory import memory_state
    from umaddpm_core.serving import demonstration
    from umaddpm_core.serving.checkout import app_folder, repository_root
    from umaddpm_core.serving.launch import Server
    from umaddpm_core.serving.operation.json_log import asks_for_json
    from umaddpm_core.serving.security.settings import SecuritySettings
    from umaddpm_core.serving.security.tokens import is_loopback, require_tokens

    if (ssl_keyfile is None) != (ssl_certfile is None):
        raise InputError("For https, give both --ssl-keyfile and --ssl-certfile.")
    tokens = require_tokens(host, os.environ)
    SecuritySettings.from_environment(os.environ)
    memory_state()
    # A log that programs read has standard output for itself.
    console = Console(highlight=False, stderr=asks_for_json(os.environ))
    app = app_folder()
    served = _served(studies)
    if served is None or served == repository_root() / "sample-data":
        served = demonstration.studies_of_samples(WORK)
    if isinstance(served, str) and _sends_password_in_clear(served):
        console.print("[yellow]Warning:[/] the password of the archive goes over the network unencrypted; use https.")
    # Supervisors and `kill` send SIGTERM; it has to stop the server as Ctrl-C does. A shell that starts us in the
    # background ignores SIGINT for us, so that is set too.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    console.print("\n[bold]UMA-DDPM[/] anomaly detection in brain MRI [dim]· research use only[/]\n")
    try:
        started = time.perf_counter()
        with ExitStack() as running:
            with console.status("Starting the server …"):
                server = running.enter_context(
                    Server(app, served, WORK, host=host, port=port, ssl_keyfile=ssl_keyfile, ssl_certfile=ssl_certfile)
                )
            console.print(f"Server ready in {time.perf_counter() - started:.0f} s at [bold cyan]{server.url}[/]")
            if not is_loopback(host) and ssl_certfile is None:
                console.print(
                    "[yellow]Warning:[/] tokens and scans cross the network unencrypted. Give --ssl-keyfile and "
                    "--ssl-certfile, put a TLS proxy in front, or leave the server on 127.0.0.1 and reach it by "
                    f"`ssh -L {port}:127.0.0.1:{port}`."
                )
            client = server.client()
            if demonstrate:
                with console.status("Examining a sample scan …"):
                    shown = demonstration.demonstrate(client, WORK)
                _print_demonstration(console, shown)
            _print_what_next(console, server, client, needs_token=bool(tokens))
            server.wait()
    except KeyboardInterrupt:
        console.print("\nServer stopped.")


def _served(studies: str | None) -> Path | str | None:
    """The folder or address to serve, after it was looked at."""
    from umaddpm_core.errors import InputError

    if studies is None:
        return None
    if "://" in studies:
        from umaddpm_core.serving.dicom.address import check_address

        check_address(studies)
        return studies
    folder = Path(studies)
    if not folder.is_dir():
        raise InputError(f"There is no folder {studies}; give a folder with scans or the address of a DICOM archive.")
    return folder.resolve()


def _sends_password_in_clear(address: str) -> bool:
    import os
    from urllib.parse import urlsplit

    from umaddpm_core.serving.security.tokens import is_loopback

    parts = urlsplit(address)
    return bool(
        parts.scheme == "http" and os.environ.get("MONAI_LABEL_DICOMWEB_PASSWORD") and not is_loopback(parts.hostname or "")
    )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _print_demonstration(console: Console, shown: Demonstration) -> None:
    from rich.table import Table

    threshold = shown.report["threshold"]
    console.print(f"\nSample scan [bold]{shown.sample}[/] examined in {shown.seconds:.1f} s")
    if lesions := shown.report["lesions"]:
        table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
        table.add_column("lesion", justify="right")
        table.add_column("volume", justify="right")
        table.add_column("centre (R, A, S)", justify="right")
        table.add_column("place")
        table.add_column("peak", justify="right")
        for lesion in lesions[:LESIONS_SHOWN]:
            centre = ", ".join(f"{coordinate:.0f}" for coordinate in lesion["centroid_ras"])
            volume, peak = f"{lesion['volume_ml']:.1f} ml", f"{lesion['peak']:.2f}"
            table.add_row(str(lesion["label"]), volume, f"{centre} mm", lesion["place"], peak)
        console.print(table)
        if len(lesions) > LESIONS_SHOWN:
            console.print(f"[dim]and {len(lesions) - LESIONS_SHOWN} smaller[/]")
    else:
        console.print("No lesion found.")
    if shown.dice is not None:
        console.print(f"Overlap with the known tumour: Dice [bold]{shown.dice:.2f}[/]")
    console.print(
        f"[dim]model {shown.report['model']} · threshold {threshold['name']} = {threshold['value']:.3g} · "
        f"quality {shown.report['quality']['verdict']}[/]\n"
        f"Picture: [cyan]{shown.folder / 'overview.png'}[/]",
        soft_wrap=True,
    )


def _print_what_next(console: Console, server: Server, client: Client, *, needs_token: bool) -> None:
    from umaddpm_core.errors import InputError

    inferers = client.info()["models"]
    names = ", ".join(f"{name} ({', '.join(inferers[name].get('models', []))})" for name in inferers)
    try:
        images = client.images()
    except InputError as error:
        console.print(f"\n[yellow]Warning:[/] {error}", soft_wrap=True)
        images = []
    image = images[0] if images else "ID"
    console.print(f"\nServing [bold]{names}[/], scans in the datastore: {len(images)}")
    console.print(f"Log: [cyan]{server.log}[/]", soft_wrap=True)
    console.print("\nConnect 3D Slicer to the address above, or try:\n")
    token = '       -H "Authorization: Bearer $TOKEN" \\\n' if needs_token else ""
    console.print(
        f'  curl -X POST "{server.url}/infer/anomaly?image={image}&output=image" \\\n'
        f"{token}"
        "       -F 'params={\"result_extension\": \".zip\"}' -o result.zip\n",
        style="green",
        markup=False,
        soft_wrap=True,
    )
    console.print("[dim]Ctrl-C stops the server.[/]")
