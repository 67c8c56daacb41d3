"""`umaddpm detect`: one scan in, mask and the rest out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from umaddpm_core.preprocessing.choices import Extraction


def detect(
    scan: Annotated[Path, typer.Argument(help="NIfTI, NRRD or MetaImage file, DICOM folder or file, or zip; with or without skull.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
    model: Annotated[str | None, typer.Option(help="Name of a shipped model, or a .safetensors file.")] = None,
    threshold: Annotated[str | None, typer.Option(help="healthy_scans_10, healthy_fpr_1, synthetic_dice or a number.")] = None,
    score: Annotated[str | None, typer.Option(help="Which deviations count: both, dark, bright, mostly_dark, mostly_bright, absolute.")] = None,
    series: Annotated[str | None, typer.Option(help="Number, UID or description of a DICOM series, of several.")] = None,
    modality: Annotated[str | None, typer.Option(help="T1 or T2; by default what DICOM tags or the file name say.")] = None,
    brain: Annotated[Path | None, typer.Option(help="Brain mask of your own, on the scan's grid.")] = None,
    brain_extraction: Annotated[
        Extraction | None, typer.Option(help="How the brain is found without one; by default as for the model's training.")
    ] = None,
    atlas: Annotated[Path | None, typer.Option(help="Atlas in SRI24 space instead of the shipped template, stripped.")] = None,
    atlas_brain: Annotated[Path | None, typer.Option(help="Mask of its brain; by default its non-zero voxels.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 …; by default a GPU where there is one.")] = None,
) -> None:
    """Find anomalies in one brain scan.

    Writes mask.nii.gz, reconstruction.nii.gz, anomaly_map.nii.gz, examined.nii.gz, report.json and overview.png, all
    volumes on the scan's own grid. Research use only.
    """
    from umaddpm_core.cli.progress import progress_bar
    from umaddpm_core.detection import NOTICE, Detector, check_output_folder, write_detection

    check_output_folder(output)
    detector = Detector.load(model, device=device, atlas=atlas, atlas_brain=atlas_brain, brain_extraction=brain_extraction)
    with progress_bar("Detecting") as advance:
        detection = detector.detect(
            scan, brain=brain, series=series, modality=modality, score=score, threshold=threshold, progress=advance
        )
    files = write_detection(detection, output)
    report = detection.report
    used = report["threshold"]
    typer.echo(f"{len(detection.lesions)} findings, {report['marked_ml']:.1f} ml, at {used['name']} = {used['value']:.3f} ({used['score']})")
    for lesion in detection.lesions[:10]:
        centre = ", ".join(f"{value:.0f}" for value in lesion.centroid_ras)
        where = f" ({lesion.place})" if lesion.place else ""
        typer.echo(f"  {lesion.label:>2}  {lesion.volume_ml:7.1f} ml at RAS {centre} mm{where}, peak {lesion.peak:.2f}")
    typer.echo(f"{report['not_examined_percent']:.0f} % of the brain was not examined (its outermost 2 mm, slices outside the grid).")
    typer.echo(f"Quality: {report['quality']['verdict']}")
    for reason in report["quality"]["reasons"]:
        typer.echo(f"  {reason}")
    typer.echo(f"{report['timings']['total_s']:.0f} s; look at {files['overview']}")
    typer.echo(NOTICE)
