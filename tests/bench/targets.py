"""What is measured: holdline, the floors, and peers where they are installed. Each is a fresh
process (or several) on loopback with a folder of its own, pinned to the server's CPU."""

import contextlib
import http.client
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

PATIENCE_S = 30
SERVER_CPUS = {0}
OPEN_LIMITS = {
    "HOLDLINE_CONNECTIONS_PER_ADDRESS_MAX": "1000000",
    "HOLDLINE_CONNECTIONS_MAX": "1000000",
    "HOLDLINE_ACCEPTS_PER_S": "0",
    "HOLDLINE_REQUESTS_PER_ADDRESS_PER_S": "0",
    "HOLDLINE_PUBS_PER_S": "0",
    "HOLDLINE_LOG_LEVEL": "warn",
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")


def children(pid):
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()]


class Target:
    """One server for one measurement: `with target as running: … running.port, running.pids`."""

    name = ""
    dialect = "holdline"
    promise = "-"

    def __init__(self, build):
        self.build = pathlib.Path(build)
        self.processes = []
        self.pids = []
        self.key = None
        self.cpus = SERVER_CPUS

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="holdline-bench-"))
        self.log = open(self.folder / "log", "ab")
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            workers = children(process.pid) if process.poll() is None else []
            process.kill()
            process.wait()
            for pid in workers:  # a killed parent does not take them along
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.processes = []
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def spawn(self, *command, **options):
        raised = "import os,sys,resource as r;r.setrlimit(r.RLIMIT_NOFILE,(r.getrlimit(" \
                 "r.RLIMIT_NOFILE)[1],)*2);os.execvp(sys.argv[1],sys.argv[1:])"
        process = subprocess.Popen([sys.executable, "-c", raised, *map(str, command)],
                                   stderr=self.log, **options)
        os.sched_setaffinity(process.pid, self.cpus)
        self.processes.append(process)
        return process

    def spawn_and_listen(self, *command, environment=None):
        """A program of ours: its first line says where it listens."""
        process = self.spawn(*command, stdout=subprocess.PIPE, env=environment)
        watchdog = threading.Timer(PATIENCE_S, process.kill)
        watchdog.start()
        line = process.stdout.readline().decode()
        watchdog.cancel()
        if not line.startswith("listening "):
            text = (self.folder / "log").read_text(errors="replace")
            raise RuntimeError(f"{self.name} did not start: {line!r}\n{text}")
        self.port = int(line.strip().rsplit(":", 1)[1])
        self.pids = [process.pid]

    def start(self):
        raise NotImplementedError

    @classmethod
    def missing(cls):
        """Why it cannot be measured here, or None."""
        return None


class Holdline(Target):
    name = "holdline"
    promise = "fsync"

    def environment(self):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("HOLDLINE_")}
        return kept | OPEN_LIMITS

    def binary(self):
        return self.build / "gateway" / "holdline"

    def start(self):
        data = self.folder / "data"
        if not data.exists():
            # A first start makes the folder; then the key is there from the beginning.
            self.serve(data)
            first = self.processes.pop()
            first.terminate()
            first.wait(PATIENCE_S)
            done = subprocess.run(
                [self.binary(), "key", "add", "--data", data, "--name", "bench", "--role",
                 "agent"], capture_output=True, text=True, env=self.environment())
            keys = [word.strip('",') for word in done.stdout.split()]
            self.key = next(word for word in keys if word.startswith("hlk_"))
        self.serve(data)

    def serve(self, data):
        self.spawn_and_listen(self.binary(), "serve", "--listen", "127.0.0.1:0", "--data", data,
                              environment=self.environment())

    def crash_and_restart(self):
        process = self.processes.pop()
        process.kill()
        process.wait()
        self.serve(self.folder / "data")


class FloorSqlite(Target):
    name = "floor epoll+SQLite FULL"
    promise = "fsync"

    def start(self):
        self.spawn_and_listen(self.build / "tests/bench/floor-epoll", self.folder / "floor.db",
                              "FULL")


class FloorEpoll(Target):
    name = "floor epoll"

    def start(self):
        self.spawn_and_listen(self.build / "tests/bench/floor-epoll")


class FloorLws(Target):
    name = "floor libwebsockets"

    def start(self):
        self.spawn_and_listen(self.build / "tests/bench/floor-lws")


NCHAN_MODULE = "/usr/lib/nginx/modules/ngx_nchan_module.so"
NGINX_CONF = """
load_module {module};
daemon off; pid {folder}/nginx.pid; error_log {folder}/log; worker_processes 1; user root;
worker_rlimit_nofile 20000;
events {{ worker_connections 19000; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream durable {{ nchan_redis_server redis://127.0.0.1:{redis}; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location ~ /pub/(\\d+)$ {{ nchan_publisher websocket; nchan_channel_id $1;
      nchan_message_buffer_length 100; nchan_redis_pass durable; }}
    location ~ /ready/(\\d+)$ {{ nchan_publisher http; nchan_channel_id $1;
      nchan_redis_pass durable; }}
    location ~ /sub/(\\d+)$ {{ nchan_subscriber websocket; nchan_channel_id $1;
      nchan_subscriber_first_message newest; nchan_redis_pass durable; }}
  }}
}}
"""


class NchanRedis(Target):
    name = "nchan+Redis always"
    dialect = "nchan"
    promise = "fsync"

    @classmethod
    def missing(cls):
        for program in ("nginx", "redis-server"):
            if shutil.which(program) is None:
                return f"{program} is not installed"
        return None if os.path.exists(NCHAN_MODULE) else "libnginx-mod-nchan is not installed"

    def start(self):
        redis, self.port = free_port(), free_port()
        self.spawn("redis-server", "--port", redis, "--bind", "127.0.0.1", "--dir", self.folder,
                   "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                   stdout=subprocess.DEVNULL)
        wait_for_port(redis)
        conf = self.folder / "nginx.conf"
        conf.write_text(NGINX_CONF.format(module=NCHAN_MODULE, folder=self.folder, redis=redis,
                                          port=self.port))
        self.spawn("nginx", "-c", conf, "-p", self.folder, stdout=subprocess.DEVNULL)
        wait_for_port(self.port)
        self.wait_for_redis()
        self.pids = [process.pid for process in self.processes]
        self.pids += children(self.processes[-1].pid)

    def wait_for_redis(self):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                link.request("POST", "/ready/999999", "x")
                if link.getresponse().status < 300:
                    return
            except OSError:
                pass
            finally:
                link.close()
            time.sleep(0.02)
        raise RuntimeError("nchan does not reach redis")


class Mosquitto(Target):
    name = "mosquitto QoS 1"
    dialect = "mqtt"
    promise = "memory"

    @classmethod
    def missing(cls):
        return None if shutil.which("mosquitto") else "mosquitto is not installed"

    def start(self):
        self.port = free_port()
        conf = self.folder / "mosquitto.conf"
        conf.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n"
                        f"persistence true\npersistence_location {self.folder}/\n"
                        "set_tcp_nodelay true\nmax_inflight_messages 0\nmax_queued_messages 0\n")
        self.spawn("mosquitto", "-c", conf, stdout=subprocess.DEVNULL)
        wait_for_port(self.port)
        self.pids = [self.processes[-1].pid]


FLOORS = [FloorSqlite, FloorEpoll, FloorLws]
PEERS = [NchanRedis, Mosquitto]
