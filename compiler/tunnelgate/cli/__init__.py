"""The command line: a thin caller of the Python API, one file a command, each loaded lazily."""

#: How a command is asked for its help; each says so itself, since click keeps what it saw first.
HELP = {"help_option_names": ["-h", "--help"]}
