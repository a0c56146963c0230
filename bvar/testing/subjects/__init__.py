"""What the kit can examine: the oracle, this package on any backend, and a port in a process of its own."""
