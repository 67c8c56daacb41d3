"""The scene of slicer-core for the tests of this folder."""

from slicer_scene import delivered, delivery, desk, geometry, make_desk, result

__all__ = ["delivered", "delivery", "desk", "geometry", "make_desk", "result"]
