"""A real gateway under test: started, killed, restarted; its data checked. Standard library only.

The limits that would get in the way of a crowd on one address are off; all else is as shipped.
"""

import ctypes
import http.client
import json
import mmap
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

PATIENCE_S = 30
SKIPPED = 77  # meson's exit code for a skipped test
IS_FULL = os.environ.get("HOLDLINE_FULL") == "1" or os.environ.get("HOLDLINE_TEST_LEVEL") == "full"

OPEN_LIMITS = {
    "HOLDLINE_CONNECTIONS_PER_ADDRESS_MAX": "1000000",
    "HOLDLINE_CONNECTIONS_MAX": "1000000",
    "HOLDLINE_ACCEPTS_PER_S": "0",
    "HOLDLINE_REQUESTS_PER_ADDRESS_PER_S": "0",
    "HOLDLINE_PUBS_PER_S": "0",
    "HOLDLINE_LOG_LEVEL": "warn",
}


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(SKIPPED)


def wait_until(condition, what, seconds=PATIENCE_S):
    """Polls a condition; returns its first true value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"not in {seconds} s: {what}")


class Control(ctypes.Structure):
    """What tests/fault/shim.c reads and counts."""

    _fields_ = [(name, ctypes.c_int64) for name in (
        "n_writes", "kill_at", "is_torn", "n_syncs", "fail_sync_at", "is_full", "clock_shift_ns")]


class Shim:
    """The preloaded library of faults, and the shared numbers that steer it."""

    def __init__(self, library, folder):
        self.library = library
        self.folder = folder
        self.file = tempfile.NamedTemporaryFile()
        self.file.write(bytes(ctypes.sizeof(Control)))
        self.file.flush()
        self.memory = mmap.mmap(self.file.fileno(), ctypes.sizeof(Control))
        self.control = Control.from_buffer(self.memory)

    def environment(self):
        return {"LD_PRELOAD": str(self.library), "HOLDLINE_SHIM_CONTROL": self.file.name,
                "HOLDLINE_SHIM_FOLDER": str(self.folder)}


class Gateway:
    """One data folder, and the process that serves it from time to time."""

    def __init__(self, binary, folder=None, **settings):
        self.binary = str(binary)
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="holdline-fault-"))
        self.data = self.folder / "data"
        self.settings = {f"HOLDLINE_{key.upper()}": str(value) for key, value in settings.items()}
        self.process = None
        self.address = "127.0.0.1"
        self.port = 0
        self.log = open(self.folder / "log", "ab")

    def environment(self, shim=None):
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("HOLDLINE_")}
        return environment | OPEN_LIMITS | self.settings | (shim.environment() if shim else {})

    def start(self, shim=None, prefix=(), port=None):
        """Starts it (on the port it had before) and waits until it listens."""
        wanted = self.port if port is None else port
        self.process = subprocess.Popen(
            [*prefix, self.binary, "serve", "--listen", f"{self.address}:{wanted}",
             "--data", str(self.data)],
            stdout=subprocess.PIPE, stderr=self.log, env=self.environment(shim))
        watchdog = threading.Timer(PATIENCE_S, self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline().decode()
        watchdog.cancel()
        if not line.startswith("listening "):
            raise AssertionError(f"gateway did not start: {line!r}; see {self.folder}/log:\n"
                                 + (self.folder / "log").read_text(errors="replace")[-2000:])
        self.port = int(line.strip().rsplit(":", 1)[1])
        return self

    def start_with_key(self, shim=None):
        """A first start makes the folder; the key is there from the second on. The key."""
        self.start()
        key = self.add_key()
        assert self.stop() == 0
        self.start(shim)
        return key

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        return self.wait()

    def stop(self):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self):
        code = self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        return code

    def is_dead(self):
        return self.process.poll() is not None

    def close(self):
        if self.process is not None and not self.is_dead():
            self.kill()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if failure[0] is not None:
            text = (self.folder / "log").read_text(errors="replace")[-3000:]
            print(f"--- end of the gateway's log\n{text}\n---", file=sys.stderr)
        self.close()

    def run(self, *arguments):
        """A command of the binary, on this data folder."""
        return subprocess.run([self.binary, *arguments], capture_output=True, text=True,
                              env=self.environment(), timeout=PATIENCE_S * 4)

    def add_key(self, name="tester", role="agent"):
        done = self.run("key", "add", "--data", str(self.data), "--name", name, "--role", role)
        words = [word.strip('",') for word in done.stdout.split()]
        keys = [word for word in words if word.startswith("hlk_")]
        assert done.returncode == 0 and keys, f"key add: {done.stdout} {done.stderr}"
        return keys[0]

    def verify(self):
        """Every entry, offset and hash chain on the disk, by the offline check."""
        done = self.run("verify", "--data", str(self.data))
        assert done.returncode == 0, f"verify: {done.stdout} {done.stderr}"

    def request(self, method, path, body=None, headers=None, timeout=PATIENCE_S):
        """(status, parsed body); raises OSError or HTTPException when the link dies."""
        link = http.client.HTTPConnection(self.address, self.port, timeout=timeout)
        try:
            text = None if body is None else json.dumps(body)
            link.request(method, path, text,
                         {"Content-Type": "application/json"} | (headers or {}))
            answer = link.getresponse()
            data = answer.read()
            try:
                return answer.status, json.loads(data)
            except ValueError:
                return answer.status, data.decode(errors="replace")
        finally:
            link.close()

    def transcript(self, key, conversation):
        """All entries, by the agents' API, page by page."""
        entries, after = [], 0
        while True:
            status, page = self.request(
                "GET", f"/v1/conversations/{conversation}/messages?after={after}&limit=100",
                headers={"Authorization": f"Bearer {key}"})
            assert status == 200, f"{conversation}: {status} {page}"
            items = page["data"]
            entries += items
            if not items:
                return entries
            after = items[-1]["offset"]


class Visitor:
    """A visitor on long-poll, one request at a time; small enough to see what happens."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.token = None
        self.gen = None
        self.rid = 0
        self.conversation = None
        self.position = {"e": None, "o": 0}

    def poll(self, *frames, wait_ms=0, timeout=PATIENCE_S):
        """The frames of the answer; (status, problem) when it is none."""
        self.rid += 1
        body = {"rid": self.rid, "wait_ms": wait_ms, "frames": list(frames)}
        if self.gen is None:
            body["frames"].insert(0, {"t": "hello", "v": 1} | (
                {"token": self.token, "pos": self.positions()} if self.token else {}))
        else:
            body |= {"gen": self.gen}
        if self.token:
            body |= {"token": self.token, "pos": self.positions()}
        status, answer = self.gateway.request("POST", "/v1/poll", body, timeout=timeout)
        if status != 200:
            return [{"t": "http", "status": status, "problem": answer}]
        for frame in answer["frames"]:
            self.take(frame)
        return answer["frames"]

    def positions(self):
        return [{"c": self.conversation, "e": self.position["e"], "o": self.position["o"]}]

    def take(self, frame):
        if frame["t"] == "welcome":
            self.token, self.gen = frame["token"], frame["gen"]
            self.conversation = frame["conv"][0]["c"]
            self.position["e"] = frame["conv"][0]["e"]
        if frame["t"] in ("pub_ok", "msg", "synced") and frame["o"] > self.position["o"]:
            self.position["o"] = frame["o"]

    def forget_link(self):
        """The gateway was restarted: the next poll attaches by token."""
        self.gen = None

    def say(self, mid, text, wait_ms=5000, seq=None):
        """Polls until the pub was answered; its answer."""
        pub = {"t": "pub", "mid": mid, "body": {"text": text}}
        if seq is not None:
            pub["seq"] = seq
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            for frame in self.poll(pub, wait_ms=wait_ms):
                if frame.get("mid") == mid and frame["t"] in ("pub_ok", "pub_no"):
                    return frame
                if frame["t"] == "http":
                    return frame
        raise AssertionError(f"no answer to {mid}")
