"""Central differences, which all gradients by hand are compared with."""

import numpy as np

STEP = 1e-6
TOLERANCE = 1e-6  # relative: differences are off by about STEP ** 2 and by rounding, 1e-16 / STEP, times condition


def differences(function, array):
    """Return the gradient of a number with respect to an array, which the function reads in place."""
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + STEP
        above = function()
        array[index] = kept - STEP
        gradient[index] = (above - function()) / (2 * STEP)
        array[index] = kept
    return gradient


def assert_gradient(gradient, function, array, tolerance=TOLERANCE):
    """Fail if a gradient is not that of the function, relative to its norm."""
    wanted = differences(function, array)
    assert gradient.shape == wanted.shape
    assert np.linalg.norm(gradient - wanted) <= tolerance * np.linalg.norm(wanted)
