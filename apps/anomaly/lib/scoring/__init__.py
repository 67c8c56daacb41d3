from lib.scoring.agreement import Agreement

__all__ = ["Agreement"]
