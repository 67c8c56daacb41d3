"""Who may ask the server for what, and what a request may hold.

`install.secure` puts all of it around the application; `tokens` is what the command line needs as well. The other
modules have one subject each: `settings`, `roles`, `refusal`, `access`, `origins`, `confinement`, `fields`, `body`, `uploads`,
`expansion`, `grids`, `unavailable`, `answers`, `audit`, `audit_log`, `datastore` and `callbacks`.
"""
