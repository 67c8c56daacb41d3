"""What the server needs beyond stock MONAI Label.

`asgi` is the application that the server runs; `launch` starts it as a child process; `client` talks to it as any
client would. The rest is what `apps/anomaly` is made of. Importing this package imports none of them.
"""
