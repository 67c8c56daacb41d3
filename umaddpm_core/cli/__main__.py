"""`python -m umaddpm_core.cli`."""

from umaddpm_core.cli.main import main

main()
