"""What an administrator watches the server by: metrics for Prometheus, and a log that programs can read.

`observing` sees every request, `metrics` counts, `state` reads what the server holds, `routes` hands both out; `json_log` is
the log as JSON lines, `without_names` keeps patients out of it, and `start` is the server's process with that log. `install`
adds all of it to the server. Importing this package imports none of them.
"""
