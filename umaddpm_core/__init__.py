"""UMA-DDPM: unsupervised anomaly detection in brain MRI by a modality-aware diffusion model. Research use only."""

__version__ = "0.1.0"
