"""kill -9 before the n-th change of a file (whole, and torn in the middle), for every n that one
submit makes; then for every n of the shutdown. After each: recovery, the same message again,
confirmed once, standing once, and the data verifies.

usage: kill_every_write.py HOLDLINE SHIM"""

import http.client
import pathlib
import shutil
import sys
import tempfile

from gateway import Gateway, Shim, Visitor

CHANGES_MAX = 400


def prepare(binary, folder):
    """A data folder with one conversation of one entry."""
    gateway = Gateway(binary, folder)
    gateway.start()
    key = gateway.add_key()
    assert gateway.stop() == 0
    gateway.start()
    visitor = Visitor(gateway)
    visitor.poll()
    assert visitor.say("first", "before the fault")["o"] == 1
    assert gateway.stop() == 0
    return gateway, key, visitor


def run_one(binary, prepared, library, n, is_torn, is_at_stop):
    """Whether the gateway was killed, and how many changes were made."""
    template, key, token, conversation, epoch = prepared
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdline-fault-"))
    shutil.copytree(template / "data", folder / "data")
    with Gateway(binary, folder) as gateway:
        shim = Shim(library, gateway.data)
        gateway.start(shim)
        visitor = Visitor(gateway)
        visitor.token, visitor.conversation = token, conversation
        visitor.position = {"e": epoch, "o": 1}
        visitor.poll()
        control = shim.control
        control.is_torn = is_torn
        confirmed = None
        if not is_at_stop:
            control.n_writes, control.kill_at = 0, n
        try:
            confirmed = visitor.say("second", "at the fault")
        except (OSError, http.client.HTTPException):
            pass
        if is_at_stop:
            control.n_writes, control.kill_at = 0, n
            gateway.process.terminate()
            was_killed = gateway.wait() != 0
        else:
            was_killed = confirmed is None
            if not was_killed:
                control.kill_at = 0
                assert gateway.stop() == 0
            else:
                gateway.wait()
        n_changes = control.n_writes
        assert confirmed is None or confirmed["t"] == "pub_ok", confirmed
        gateway.verify()
        gateway.start()
        visitor.forget_link()
        again = visitor.say("second", "at the fault")
        assert again["t"] == "pub_ok" and again["o"] == 2, again
        assert confirmed is None or again["dup"], "confirmed, and then lost"
        entries = gateway.transcript(key, conversation)
        assert [entry["client_id"] for entry in entries] == ["first", "second"], entries
        assert gateway.stop() == 0
        gateway.verify()
    return was_killed, n_changes


def sweep(binary, prepared, library, is_torn, is_at_stop):
    for n in range(1, CHANGES_MAX):
        was_killed, n_changes = run_one(binary, prepared, library, n, is_torn, is_at_stop)
        if not was_killed:
            assert n > 1 or is_at_stop, "no change was ever met"
            print(f"{'stop' if is_at_stop else 'submit'}{', torn' if is_torn else ''}:"
                  f" killed at each of {n - 1} changes, nothing lost")
            return n - 1
    raise AssertionError("the sweep does not end")


def main():
    binary, library = sys.argv[1:3]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdline-fault-"))
    gateway, key, visitor = prepare(binary, folder)
    with gateway:
        prepared = (folder, key, visitor.token, visitor.conversation, visitor.position["e"])
        assert sweep(binary, prepared, library, is_torn=0, is_at_stop=False) >= 2
        sweep(binary, prepared, library, is_torn=1, is_at_stop=False)
        sweep(binary, prepared, library, is_torn=0, is_at_stop=True)


main()
