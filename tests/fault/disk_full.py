"""A disk that is full: refused as `storage_full`, nothing half stored, the process lives and
takes messages again when there is space. With the watermark, and at the very write.

usage: disk_full.py HOLDLINE SHIM"""

import http.client
import subprocess
import sys
import tempfile

from gateway import SKIPPED, Gateway, Shim, Visitor, wait_until


def say_until_full(visitor):
    for n in range(2, 20000):
        answer = visitor.say(f"m{n}", "x" * 8000)
        if answer["t"] != "pub_ok":
            return n, answer
    raise AssertionError("never full")


def watermark(binary, mount):
    """A real file system of 96 MiB, and refusal below 48 MiB free."""
    with Gateway(binary, mount, disk_free_min=48 << 20) as gateway:
        key = gateway.start_with_key()
        visitor = Visitor(gateway)
        visitor.poll()
        assert visitor.say("m1", "first")["t"] == "pub_ok"
        n, answer = say_until_full(visitor)
        assert answer["problem"]["code"] == "storage_full", answer
        assert answer["problem"]["retryable"]
        ready = wait_until(lambda: (lambda a: a[0] == 503 and a[1])(
            gateway.request("GET", "/readyz")), "readyz says so")
        assert ready["disk_free_bytes"] > 8 << 20, "refused ahead of time, not at the last byte"
        assert gateway.request("GET", "/livez")[0] == 200
        print(f"watermark: full after {n - 1} entries; readyz says {ready}")
        subprocess.run(["mount", "-o", "remount,size=256m", mount], check=True)
        answer = wait_until(lambda: (lambda a: a["t"] == "pub_ok" and a)(
            visitor.say(f"m{n}", "x" * 8000)), "space is noticed")
        assert answer["o"] == n, answer
        assert len(gateway.transcript(key, visitor.conversation)) == n
        assert gateway.stop() == 0
        gateway.verify()


def at_the_write(binary, library):
    """ENOSPC out of write(): the watermark saw nothing coming."""
    with Gateway(binary) as gateway:
        shim = Shim(library, gateway.data)
        key = gateway.start_with_key(shim)
        visitor = Visitor(gateway)
        visitor.poll()
        assert visitor.say("m1", "first")["t"] == "pub_ok"
        shim.control.is_full = 1
        try:
            answer = visitor.say("m2", "at the fault")
        except (OSError, http.client.HTTPException) as failure:
            answer = {"t": "none", "problem": {"code": repr(failure)}}
        print("at the write:", answer)
        assert answer["t"] != "pub_ok", "confirmed without space"
        shim.control.is_full = 0
        if answer["problem"]["code"] != "storage_full":  # unknown outcome: it must have ended
            assert gateway.wait() > 0
            gateway.start()
            visitor.forget_link()
        answer = visitor.say("m2", "at the fault")
        assert answer["t"] == "pub_ok" and answer["o"] == 2, answer
        assert len(gateway.transcript(key, visitor.conversation)) == 2
        assert gateway.stop() == 0
        gateway.verify()


def main():
    binary, library = sys.argv[1:3]
    at_the_write(binary, library)
    mount = tempfile.mkdtemp(prefix="holdline-fault-")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", mount],
                          capture_output=True, text=True)
    if made.returncode != 0:
        print(f"SKIPPED: the watermark on a real small disk: {made.stderr.strip()}")
        sys.exit(SKIPPED)
    try:
        watermark(binary, mount)
    finally:
        subprocess.run(["umount", "-l", mount], check=True)


main()
