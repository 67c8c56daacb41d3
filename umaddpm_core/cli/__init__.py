"""The command line: one file per command of `umaddpm`. Heavy imports happen inside the commands."""
