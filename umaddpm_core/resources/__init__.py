"""What is shipped with the package: trained weights, the population template, and the structures in its space."""

from pathlib import Path

FOLDER = Path(__file__).parent
BRAIN_EXTRACTOR = FOLDER / "brain_extractor.safetensors"
CONTRAST = FOLDER / "contrast_T1_T2.safetensors"
TEMPLATE = FOLDER / "template_T1.nii.gz"
TEMPLATE_BRAIN = FOLDER / "template_brain.nii.gz"
STRUCTURES = FOLDER / "structures.nii.gz"
MODELS = FOLDER / "models"
