"""Memory is used again, and never while somebody sees it."""

import numpy as np

from bvar.kernels.memory import lines


def test_memory_is_used_again_only_when_nobody_sees_it():
    first = lines((200, 200), np.int16)
    first[...] = 1
    view = first[100:].T
    second = lines((200, 200), np.int16)
    second[...] = 2
    del first, second
    third = lines((200, 200), np.int16)
    third[...] = 3
    assert (view == 1).all()
    del view, third
    places = {lines((200, 200), np.int16).ctypes.data for _ in range(20)}
    assert len(places) < 20, "nothing was used again"
    assert all(place % 64 == 0 for place in places)
