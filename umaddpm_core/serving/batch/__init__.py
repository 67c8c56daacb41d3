"""The scans of the datastore examined one after the other, in the queue that all detections of the server wait in.

`request` is what a client asks for, `record` what is kept of a batch on disk, `examination` one scan of it, `batches` the
thread that goes from one to the next, `routes` the HTTP side and `install` adds them to the server. Importing this package
imports none of them.
"""
