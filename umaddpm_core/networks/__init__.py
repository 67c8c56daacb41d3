"""Networks, torch only: the U-Net, its modality-aware bottleneck, Mamba, and the brain extractor."""
