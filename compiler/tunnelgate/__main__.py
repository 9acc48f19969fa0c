"""`python -m tunnelgate`."""

import sys

from tunnelgate.cli.main import main

sys.exit(main())
