"""C kernels behind the compiled backends; `bvar.backends.compiled` adapts them, nothing else imports this package.

``include/bvar_kernels.h`` is the contract, ``src/kernels_impl.h`` holds the loops that every instruction set
shares, ``src/isa_*.c`` the inner tiles.  The extension module ``_kernels`` is absent where none was built.
"""
