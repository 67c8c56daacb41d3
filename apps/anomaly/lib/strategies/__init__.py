from lib.strategies.for_review import HighestScore, MostUncertain

__all__ = ["HighestScore", "MostUncertain"]
