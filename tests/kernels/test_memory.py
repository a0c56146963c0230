"""Memory is used again, never while somebody sees it, in this thread or another; no more than a bound is kept."""

import queue
import threading
import weakref

import numpy as np
import pytest

from bvar.kernels import memory
from bvar.kernels.memory import lines


@pytest.fixture(autouse=True)
def _nothing_kept():
    memory._kept.__dict__.clear()


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


def test_no_thread_keeps_more_than_a_bound_and_the_longest_unused_goes_first():
    mebibyte = 2**20
    first = weakref.ref(lines((4, mebibyte), np.int8).base)
    second = weakref.ref(lines((5, mebibyte), np.int8).base)
    lines((4, mebibyte), np.int8)  # the first again
    for size in (20, 31, 40, 65):  # the last is too large to be kept
        lines((size, mebibyte), np.int8)
    assert second() is None
    assert first() is not None
    assert [len(piece) // mebibyte for piece in memory._kept.pieces] == [4, 20, 31, 40]


def test_what_a_thread_kept_goes_with_it():
    pieces = []
    thread = threading.Thread(target=lambda: pieces.append(weakref.ref(lines((300, 300), np.int8).base)))
    thread.start()
    thread.join()
    assert pieces[0]() is None


def test_memory_that_another_thread_sees_is_not_used_again():
    """Views go round: each thread fills what it takes, gives it away, and looks at what it got for a while."""
    ways, faults = [queue.Queue() for _ in range(4)], []

    def work(number):
        held = []
        for i in range(300):
            mine = lines((50, 100), np.int16)
            mine[...] = 1000 * number + i
            ways[(number + 1) % 4].put((1000 * number + i, mine[:20].T))
            del mine
            held.append(ways[number].get())
            faults.extend(value for value, view in held if not (view == value).all())
            held = [(value, view[1:]) for value, view in held[-5:]]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
