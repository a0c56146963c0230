"""What saving does to files: one step, the right target, mode and owner, and nothing left behind."""

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bvar import model_file
from bvar.model_file import ModelFileError, _container, _replacing
from bvar.mollify import MollifiedClassifier, RealNVPDensity
from bvar.networks import boolean_mlp

posix = pytest.mark.skipif(os.name != "posix", reason="modes, pipes and locks of POSIX")
NETWORK = boolean_mlp([4, 8, 2], random_state=0)


def names(folder):
    return sorted(p.name for p in folder.iterdir())


@posix
def test_a_pipe_is_refused_and_stays_a_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="pipe") as caught:
        model_file.save(NETWORK, path)
    assert caught.value.filename == str(path)
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert names(tmp_path) == ["pipe"]


@posix
def test_a_device_is_refused_and_stays_a_device(tmp_path):
    device = tmp_path / "null"  # one of our own: if this fails, root would lose the one of the system
    try:
        os.mknod(device, stat.S_IFCHR | 0o600, os.stat(os.devnull).st_rdev)
    except PermissionError:
        pytest.skip("only root makes devices")
    (tmp_path / "link").symlink_to(device)
    for path in (device, tmp_path / "link"):
        with pytest.raises(OSError, match="device"):
            model_file.save(NETWORK, path)
    assert stat.S_ISCHR(device.stat().st_mode)
    assert names(tmp_path) == ["link", "null"]


@posix
def test_a_socket_is_refused(tmp_path):
    import socket

    server = socket.socket(socket.AF_UNIX)
    server.bind(os.path.relpath(tmp_path / "s"))
    with pytest.raises(OSError, match="socket"):
        model_file.save(NETWORK, tmp_path / "s")
    server.close()
    assert stat.S_ISSOCK((tmp_path / "s").stat().st_mode)


@posix
def test_loading_a_pipe_is_refused_at_once(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    refused = []

    def load():
        try:
            model_file.load(path)
        except ModelFileError as error:
            refused.append(str(error))

    thread = threading.Thread(target=load)
    thread.start()
    thread.join(10)
    waits = thread.is_alive()
    if waits:
        path.write_bytes(b"let it go")
    thread.join()
    assert not waits
    assert refused == [f"{path}: not a regular file"]


@pytest.mark.parametrize("call", [model_file.load, lambda path: model_file.save(NETWORK, path)])
def test_a_number_is_no_path(call):
    """An open file descriptor is not taken for a path."""
    with pytest.raises(TypeError):
        call(0)


def test_an_empty_path_is_told_and_writes_nothing(tmp_path, monkeypatch):
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    with pytest.raises(ValueError, match="path must name a file"):
        model_file.save(NETWORK, "")
    assert names(tmp_path) == ["inside"]
    assert names(tmp_path / "inside") == []


@pytest.mark.parametrize(
    "name",
    ["模" * 80, "模" * 85, "x" * 255, "\U0001f600" * 63, "a.b" * 70],
    ids=["80", "85", "255", "emoji", "dots"],
)
def test_a_name_as_long_as_the_system_takes_is_saved(tmp_path, name):
    path = tmp_path / name
    model_file.save(NETWORK, path)
    model_file.save(NETWORK, path)
    assert names(tmp_path) == [name]
    assert model_file.load(path).fingerprint() == NETWORK.fingerprint()


def test_a_path_of_bytes_is_a_path(tmp_path):
    model_file.save(NETWORK, os.fsencode(tmp_path / "m"))
    assert model_file.load(os.fsencode(tmp_path / "m")).fingerprint() == NETWORK.fingerprint()


@pytest.mark.parametrize("path", ["no/m", "x" * 300, "file/m", "folder"])
def test_errors_name_the_target_and_not_the_temporary(tmp_path, path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError) as caught:
        model_file.save(NETWORK, tmp_path / path)
    assert caught.value.filename == str(tmp_path / path)
    assert ".tmp" not in str(caught.value)
    assert names(tmp_path) == ["file", "folder"]


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_full_disk_names_the_target(tmp_path, monkeypatch, where):
    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere else")

    monkeypatch.setattr(os, where, fail)
    with pytest.raises(OSError) as caught:
        model_file.save(NETWORK, tmp_path / "m")
    monkeypatch.undo()
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "m"))
    assert names(tmp_path) == []


@posix
def test_a_private_file_is_private_while_it_is_written_and_after(tmp_path, monkeypatch):
    path, seen = tmp_path / "m", []
    path.write_bytes(b"")
    path.chmod(0o600)
    write = _container._write_contents

    def look(*arguments):
        seen.extend(stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir())
        write(*arguments)

    monkeypatch.setattr(_container, "_write_contents", look)
    umask = os.umask(0)
    try:
        model_file.save(NETWORK, path)
    finally:
        os.umask(umask)
    assert seen == [0o600, 0o600]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@posix
def test_the_owner_stays_where_we_may_and_a_lost_group_loses_its_rights(tmp_path, monkeypatch):
    path, asked = tmp_path / "m", []
    path.write_bytes(b"")
    path.chmod(0o660)
    if os.geteuid() == 0:
        os.chown(path, 1234, 2345)
        model_file.save(NETWORK, path)
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)
        assert stat.S_IMODE(path.stat().st_mode) == 0o660

        def refuse(*arguments):
            asked.append(arguments)
            raise PermissionError

        monkeypatch.setattr(os, "fchown", refuse)
        model_file.save(NETWORK, path)
        assert len(asked) == 2
        assert path.stat().st_gid != 2345
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    else:
        model_file.save(NETWORK, path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o660


# a process that needs no more than the module: the package takes long to import
SLOW = """
import importlib.util, sys, time
spec = importlib.util.spec_from_file_location("replacing", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
with module.replacing(sys.argv[2]) as file:
    file.write(b"of another process")
    file.flush()
    print("written", flush=True)
    time.sleep(float(sys.argv[3]))
"""


def start_slow(path, seconds):
    arguments = [sys.executable, "-c", SLOW, _replacing.__file__, str(path), str(seconds)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "written\n"
    return process


@posix
def test_what_a_killed_save_leaves_is_removed_by_the_next_one(tmp_path):
    path = tmp_path / "m"
    for _ in range(2):
        with start_slow(path, 60) as process:
            process.send_signal(signal.SIGKILL)
        assert names(tmp_path) == [".m.tmp"]  # one for the target, however often
    model_file.save(NETWORK, path)
    assert names(tmp_path) == ["m"]


@posix
def test_a_save_under_way_is_waited_for_and_not_torn(tmp_path):
    """The other process ends first; then ours replaces what it wrote."""
    path = tmp_path / "m"
    with start_slow(path, 3) as process:
        started = time.monotonic()
        model_file.save(NETWORK, path)
        waited = time.monotonic() - started
    assert process.returncode == 0
    assert waited > 0.5
    assert names(tmp_path) == ["m"]
    assert model_file.load(path).fingerprint() == NETWORK.fingerprint()


def test_many_threads_save_one_file_and_it_is_whole_at_every_moment(tmp_path):
    path, errors = tmp_path / "m", []
    networks = [boolean_mlp([40, 30, 2], random_state=seed) for seed in range(4)]
    prints = {network.fingerprint() for network in networks}
    model_file.save(networks[0], path)

    def work(network):
        try:
            for _ in range(4):
                model_file.save(network, path)
                assert model_file.load(path).fingerprint() in prints
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(network,)) for network in networks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert names(tmp_path) == ["m"]


@posix
def test_a_temporary_that_is_a_link_is_not_followed(tmp_path):
    """Nobody makes us write into another file by guessing the name."""
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / ".m.tmp").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError):
        model_file.save(NETWORK, tmp_path / "m")
    assert (tmp_path / "victim").read_bytes() == b"precious"


def test_without_locks_of_posix_it_is_saved_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(_replacing, "fcntl", None)
    (tmp_path / ".m.tmp").write_bytes(b"left behind")
    model_file.save(NETWORK, tmp_path / "m")
    assert names(tmp_path) == ["m"]
    monkeypatch.setattr(_container, "_write_contents", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model_file.save(NETWORK, tmp_path / "m")
    assert names(tmp_path) == ["m"]


def test_a_chain_or_a_density_says_how_to_keep_it(tmp_path):
    x = [[0.0, 1.0], [1.0, 0.0], [0.5, 0.5], [1.0, 1.0]]
    chain = make_pipeline(StandardScaler(), MollifiedClassifier((3,), max_iter=1)).fit(x, [0, 1, 0, 1])
    for model in (chain, RealNVPDensity()):
        with pytest.raises(TypeError, match=r"one by one.*joblib or skops"):
            model_file.save(model, tmp_path / "m")
    model_file.save(chain[-1], tmp_path / "m")
    again = model_file.load(tmp_path / "m")
    assert again.predict(x).tolist() == chain[-1].predict(x).tolist()
    assert (again.predict_proba(x) == chain[-1].predict_proba(x)).all()
