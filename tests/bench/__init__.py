"""Benchmarks, run by hand: ``python -m tests.bench.kernels`` and ``python -m tests.bench.training_step``."""
