"""The version, where both the build and the package can read it, and a word when a namesake is mixed in.

This distribution is called ``boolean-variation``. One called ``bvar``, for Bayesian vector autoregression, is
another project with the same import name: installed into the same environment, the two write into one folder.
"""

import glob
import warnings

__version__ = "0.1.0.dev0"


def warn_of_namesake(site: str) -> None:
    """Warn if a distribution called ``bvar`` is installed in ``site``, the folder that this package lies in.

    It costs the listing of one folder. The package goes on: what is imported is its own, or it would not be here.
    """
    if found := glob.glob("bvar-*.dist-info", root_dir=site):
        warnings.warn(
            f"another project, {found[0].removesuffix('.dist-info')} (Bayesian vector autoregression), is "
            f"installed in {site} and shares the folder 'bvar' with this, boolean-variation; to keep this: "
            "pip uninstall bvar boolean-variation, then pip install boolean-variation; to use both: give each an "
            "environment",
            stacklevel=3,
        )
