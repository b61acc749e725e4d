"""Clients that vanish. Silent ones (the peer lives, says nothing) and cut ones (the wire is
gone, no FIN ever comes): the gateway must notice by itself and let go of them.

usage: half_open.py HOLDLINE"""

import base64
import os
import re
import select
import socket
import subprocess
import sys
import time

from gateway import SKIPPED, Gateway, wait_until

CLIENTS = 50


def open_websocket(address):
    link = socket.create_connection(address, 5)
    key = base64.b64encode(os.urandom(16)).decode()
    link.sendall((f"GET /v1/ws HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n"
                  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: holdline.v1\r\n\r\n"
                  ).encode())
    head = b""
    while b"\r\n\r\n" not in head:
        data = link.recv(4096)
        assert data, "upgrade refused"
        head += data
    assert head.startswith(b"HTTP/1.1 101"), head
    send_frame(link, b'{"t":"hello","v":1}')
    while b'"welcome"' not in head:
        data = link.recv(4096)
        assert data, "no welcome"
        head += data
    return link


def send_frame(link, text):
    link.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)


def answer_pings(links):
    """Good clients, until the wire goes or we are killed."""
    while True:
        for link in select.select(links, [], [])[0]:
            if b'"ping"' in link.recv(4096):
                send_frame(link, b'{"t":"pong"}')


def count_streams(gateway):
    status, text = gateway.request("GET", "/metrics")
    assert status == 200, text
    found = re.search(r"^holdline_streams (\d+)$", text, re.M)
    assert found, f"no gauge of WebSockets in /metrics:\n{text}"
    return int(found.group(1))


def silent(gateway):
    links = [open_websocket(("127.0.0.1", gateway.port)) for _ in range(CLIENTS)]
    wait_until(lambda: count_streams(gateway) == CLIENTS, "all are there", 20)
    wait_until(lambda: count_streams(gateway) == 0, "silent clients are let go of", 15)
    for link in links:
        link.close()
    print(f"silent: {CLIENTS} let go of")


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def cut_wire(binary):
    """The client stands in a network namespace of its own; then the wire goes."""
    name = f"hl{os.getpid()}"
    try:
        ip("netns", "add", name)
        ip("-n", name, "link", "show")  # enters it, which a bare chroot does not allow
    except (OSError, subprocess.CalledProcessError) as failure:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        print(f"SKIPPED: no network namespaces: {failure}")
        sys.exit(SKIPPED)
    try:
        ip("link", "add", name, "type", "veth", "peer", "name", "far", "netns", name)
        ip("addr", "add", "10.213.7.1/30", "dev", name)
        ip("link", "set", name, "up")
        ip("-n", name, "addr", "add", "10.213.7.2/30", "dev", "far")
        ip("-n", name, "link", "set", "far", "up")
        run_cut(binary, name)
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)
        subprocess.run(["ip", "link", "del", name], check=False, capture_output=True)


def run_cut(binary, name):
    with Gateway(binary, ping_ms=2000, pong_ms=1900, metrics_public="true") as gateway:
        gateway.address = "10.213.7.1"
        gateway.start()
        child = subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, __file__, "--client",
             gateway.address, str(gateway.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert child.stdout.readline() == b"open\n"
            wait_until(lambda: count_streams(gateway) == CLIENTS, "all are there", 20)
            end = time.monotonic() + 5
            while time.monotonic() < end:  # several pings: good clients stay
                assert count_streams(gateway) == CLIENTS
                time.sleep(0.1)
            ip("link", "set", name, "down")
            ip("link", "set", name, "up")  # the gateway's side lives, the far one stays away
            ip("-n", name, "link", "set", "far", "down")
            wait_until(lambda: count_streams(gateway) == 0, "vanished clients are let go of", 30)
            print(f"cut wire: {CLIENTS} let go of")
        finally:
            child.kill()
            child.wait()
        assert gateway.stop() == 0


def main():
    if sys.argv[1] == "--client":
        links = [open_websocket((sys.argv[2], int(sys.argv[3]))) for _ in range(CLIENTS)]
        print("open", flush=True)
        answer_pings(links)
    with Gateway(sys.argv[1], ping_ms=2000, pong_ms=1900) as gateway:
        gateway.start()
        silent(gateway)
        assert gateway.stop() == 0
    cut_wire(sys.argv[1])


main()
