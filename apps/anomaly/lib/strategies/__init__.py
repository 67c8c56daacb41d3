from lib.strategies.for_review import AnyCase, HighestScore, MostUncertain

__all__ = ["AnyCase", "HighestScore", "MostUncertain"]
