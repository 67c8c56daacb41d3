"""Detections as jobs: a bounded queue that every detection goes through, and results that outlive a restart.

`queue` runs the work, `store` keeps jobs on disk, `service` joins the two, `routes` and `health` are the HTTP side and
`install` adds them to the server. Importing this package imports none of them.
"""
