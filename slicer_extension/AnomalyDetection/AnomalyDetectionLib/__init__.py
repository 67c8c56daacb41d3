"""Anomaly detection in brain MRI from 3D Slicer. Research use only.

The module lies in layers, and each imports only those above it in this list:

================ ===================================================================== ==========================
part             what it does                                                          needs
================ ===================================================================== ==========================
``client``       HTTP with the server: status, detections, review, training, models    the standard library
``worker``       one thread for what waits; its ``poll`` brings back what happened     ``client``
``jobs``         detections with their progress, from the scan's file to the results   ``worker``
``replacing``    files that are there whole or not at all                              the standard library
``translation``  texts in the language of the application                              Slicer, where there is one
``batch``        many scans: which there are, and what came of each                    ``client``
``calibrations`` thresholds that were measured, and what they mean in words            nothing
``structures``   which structure of the brain a number means, and where a lesion lies  numpy
``runs``         what hangs together above a threshold                                 numpy, scipy
``lesions``      the mask and its lesions at any threshold, while a slider moves       numpy, scipy
``pictures``     slices as PNG                                                         numpy, scipy
``views``        the comparing layouts in Slicer's language                            nothing
``report``       a detection as one HTML page                                          ``lesions``
``scene``        results as nodes, display, layouts, table, export, key slices         MRML (``slicer``, ``vtk``)
``widget``       the panel: one file for each section of the ``.ui``                   Qt (``qt``)
================ ===================================================================== ==========================

Beside them stand what the application itself asks for when it starts: ``parameters``, ``sample_data``, ``self_test``. With
``views`` and ``translation`` they are all that is imported then.

Only ``widget`` imports Qt, and only ``scene`` works on the scene, so that everything below the panel runs, and is tested, without
the application. HTTP happens in a worker's thread only, MRML in the main thread only; what passes between them are files and the
small frozen classes of ``client`` and ``jobs``. The panel has two workers, one for detections and one for questions, and a timer
that calls their ``poll``, and sleeps for a moment while they have work: Slicer's main thread does not let them run otherwise.
"""
