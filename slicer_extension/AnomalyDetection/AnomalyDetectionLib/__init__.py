"""Anomaly detection in brain MRI from 3D Slicer, below the user interface. Research use only.

The module lies in layers, and each imports only those above it in this list:

=============== ===================================================================== ==========================
part            what it does                                                          needs
=============== ===================================================================== ==========================
``client``      HTTP with the server: status, detections, review, training, models    the standard library
``worker``      one thread for what waits; its ``poll`` brings back what happened     ``client``
``jobs``        detections with their progress, from the scan's file to the results   ``worker``
``structures``  which structure of the brain a number means, and where a lesion lies  numpy
``runs``        what hangs together above a threshold                                 numpy, scipy
``lesions``     the mask and its lesions at any threshold, while a slider moves       numpy, scipy
``scene``       results as nodes, display, layouts, table, export                     MRML (``slicer``, ``vtk``)
=============== ===================================================================== ==========================

Nothing here imports Qt, and nothing but ``scene`` imports Slicer, so that everything runs, and is tested, without the
application. HTTP happens in the worker's thread only, MRML in the main thread only; what passes between them are files and the
small frozen classes of ``client`` and ``jobs``. A user interface has one ``Worker``, one ``Jobs`` and a timer that calls
``Worker.poll`` some ten times a second.
"""
