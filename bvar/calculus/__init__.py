"""The theory, in four pages to be read in this order, each of which stands on those before it.

``logic`` has the values T, F and 0 and their connectives, ``variation`` says what changes when one is flipped,
``chain`` is its chain rule, ``gates`` are the sixteen functions of two bits with their variations.  Nothing here
is fast: what is computed often is in :mod:`bvar.kernels`.
"""
