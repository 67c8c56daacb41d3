from lib.infers.anomaly import AnomalyInfer

__all__ = ["AnomalyInfer"]
