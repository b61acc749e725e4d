"""kill -9 at random moments under a crowd on mixed transports; nothing may be lost, doubled,
reordered or invented. Then each promise is broken on purpose in the record, and found.

usage: kill_loop.py HOLDLINE FAULT_LOAD CHECKER [LOOPS [CYCLES CLIENTS]]
`./dev test --full`: 20 cycles, 200 clients. HOLDLINE_SEED repeats the moments."""

import os
import random
import sys
import time

from gateway import IS_FULL, Gateway
from history import Crowd, assert_kept, assert_lies_are_found, write_transcript


def main():
    binary, load, checker = sys.argv[1:4]
    cycles, clients = (20, 200) if IS_FULL else (4, 60)
    loops = sys.argv[4] if len(sys.argv) > 4 else "1"
    if len(sys.argv) > 5:
        cycles, clients = int(sys.argv[5]), int(sys.argv[6])
    seed = int(os.environ.get("HOLDLINE_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"{cycles} cycles, {clients} clients, HOLDLINE_SEED={seed}")
    moments = random.Random(seed)
    with Gateway(binary, loops=loops) as gateway:
        key = gateway.start_with_key()
        history = gateway.folder / "history.jsonl"
        crowd = Crowd(load, gateway.port, key, history, clients)
        try:
            for _ in range(cycles):
                time.sleep(moments.uniform(0.05, 1.5))  # the moment is the test
                assert not gateway.is_dead(), "the gateway died by itself"
                gateway.kill()
                gateway.start()
            account = crowd.finish()
        finally:
            crowd.kill()
        assert not gateway.is_dead()
        transcript = gateway.folder / "transcript.jsonl"
        n_entries = write_transcript(gateway, key, history, transcript)
        assert gateway.stop() == 0
        gateway.verify()
        print(f"{n_entries} entries after {cycles} kills")
        assert account["attached"] > clients, "nobody had to attach again"
        assert_kept(checker, [history], transcript)
        assert_lies_are_found(checker, history, transcript, gateway.folder)


main()
