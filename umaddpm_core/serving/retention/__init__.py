"""How long the server keeps what holds patients' data: sessions, fetched series, detections in memory, temporary files.

Jobs have limits of their own beside this one. Of the folder of scans and labels nothing is ever deleted for its age.
"""
