"""The `umaddpm` program."""

from __future__ import annotations

import re
import sys
from inspect import cleandoc

import typer

from umaddpm_core import __version__
from umaddpm_core.cli.calibrate import calibrate
from umaddpm_core.cli.compare import compare
from umaddpm_core.cli.contrast import synthesise_t2, train_contrast
from umaddpm_core.cli.detect import detect
from umaddpm_core.cli.download import download
from umaddpm_core.cli.evaluate import evaluate
from umaddpm_core.cli.extract_brain import extract_brain
from umaddpm_core.cli.preprocess import preprocess
from umaddpm_core.cli.resources import build_structures, build_template, train_brain_extractor
from umaddpm_core.cli.serve import serve
from umaddpm_core.cli.token import token
from umaddpm_core.cli.train import train
from umaddpm_core.errors import Cancelled, InputError

EXAMPLES = {
    detect: "umaddpm detect scan.nii.gz -o result",
    extract_brain: "umaddpm extract-brain scan.nii.gz -o brain.nii.gz",
    serve: "umaddpm serve --port 8000",
    token: "umaddpm token reading-room --role infer --file tokens",
    download: "umaddpm download ixi -o ixi --modality T1 --modality T2",
    preprocess: "umaddpm preprocess ixi -o cache",
    synthesise_t2: "umaddpm synthesise-t2 --cache cache",
    train: "umaddpm train unified --cache cache -o run",
    calibrate: "umaddpm calibrate run/model.safetensors --cache cache -o mine.safetensors",
    train_contrast: "umaddpm train-contrast --cache cache -o contrast_T1_T2.safetensors",
    evaluate: "umaddpm evaluate patients -o results",
    compare: "umaddpm compare benchmark.yaml --cache cache -o run/compare",
    build_template: "umaddpm build-template ixi --atlas sri24_T1.nii.gz",
    build_structures: "umaddpm build-structures labelmaps",
    train_brain_extractor: "umaddpm train-brain-extractor ixi --label-maps labelmaps",
}

app = typer.Typer(
    name="umaddpm",
    help="Unsupervised anomaly detection in brain MRI with UMA-DDPM. Research use only, not for diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for command, example in EXAMPLES.items():
    description = re.sub(r"(?<!\n)\n(?!\n)", " ", cleandoc(command.__doc__ or ""))
    summary = description.splitlines()[0]
    app.command(
        name=command.__name__.replace("_", "-"),
        help=f"{description}\n\nExample: [cyan]{example}[/cyan]",
        short_help=f"{summary}  [dim]{example}[/dim]",
    )(command)


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    if version:
        typer.echo(f"umaddpm {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the program; a bad input ends in one sentence and exit status 2, Ctrl-C in 130."""
    try:
        app()
    except InputError as error:
        typer.echo(f"umaddpm: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        where = f"{error.filename} cannot be used" if error.filename else "A file could not be read or written"
        typer.echo(f"umaddpm: {where}: {(error.strerror or str(error)).lower()}.", err=True)
        sys.exit(2)
    except (Cancelled, KeyboardInterrupt):
        typer.echo("umaddpm: stopped.", err=True)
        sys.exit(130)
