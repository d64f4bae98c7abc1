"""`python -m oncue` is `oncue`."""

from oncue.cli import main

main()
