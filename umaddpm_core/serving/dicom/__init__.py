"""The server and a hospital's DICOM archive: results as DICOM, and an archive as the place the scans come from.

`segmentation` and `parametric_map` write a detection as DICOM; `datastore` lists, fetches and stores by DICOMweb. Importing
this package imports none of them.
"""
