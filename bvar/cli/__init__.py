"""The command line, ``python -m bvar``: a module for each command, whose `add` describes its options."""
