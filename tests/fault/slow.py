"""Readers that do not read: memory stays bounded, others are served; and a long transcript is
replayed to a slow client with constant memory.

usage: slow.py HOLDLINE stalled|replay SLOW_READER
`./dev test --full`: 10,000 readers; 100,000 entries."""

import json
import subprocess
import sys

from gateway import IS_FULL, Gateway

STALLED_BYTES_MAX = 16384  # a stalled reader may cost the gateway, beyond an idle one
REPLAY_BYTES_MAX = 10 << 20  # all a replay may add, however long: the reader's page cache has 8 MiB


def main():
    binary, mode, program = sys.argv[1:4]
    clients = 10000 if IS_FULL else 1000
    entries = (100000 if IS_FULL else 20000) if mode == "replay" else 1000
    with Gateway(binary) as gateway:
        key = gateway.start_with_key()
        done = subprocess.run([program, mode, str(gateway.port), str(gateway.pid), key,
                               str(clients), str(entries)], capture_output=True, text=True,
                              timeout=500)
        print(done.stdout, done.stderr)
        assert done.returncode == 0 and not gateway.is_dead()
        result = json.loads(done.stdout)
        if mode == "stalled":
            assert result["bytes_each"] <= STALLED_BYTES_MAX, result
        else:
            assert result["pss_max"] - result["pss_before"] <= REPLAY_BYTES_MAX, result


main()
