from lib.trainers.uma_ddpm import UMADDPMTraining

__all__ = ["UMADDPMTraining"]
