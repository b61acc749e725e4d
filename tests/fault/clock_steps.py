"""The wall clock jumps by an hour, both ways, again and again: waits, heartbeats, tokens and
order must not depend on it.

usage: clock_steps.py HOLDLINE SHIM FAULT_LOAD CHECKER"""

import sys
import time

from gateway import Gateway, Shim, Visitor
from history import Crowd, assert_kept, write_transcript

HOUR_NS = 3600 * 10**9


def main():
    binary, library, load, checker = sys.argv[1:5]
    with Gateway(binary, ping_ms=2000, pong_ms=1900) as gateway:
        shim = Shim(library, gateway.data)
        key = gateway.start_with_key(shim)
        visitor = Visitor(gateway)
        visitor.poll()
        history = gateway.folder / "history.jsonl"
        crowd = Crowd(load, gateway.port, key, history, 30, pause_ms=100)
        try:
            for step in (1, -1, 1, 0, -1, 0):
                shim.control.clock_shift_ns = step * HOUR_NS
                began = time.monotonic()
                frames = visitor.poll(wait_ms=700)
                waited = time.monotonic() - began
                assert all(frame["t"] != "http" for frame in frames), frames
                assert waited < 5, f"a wait of 0.7 s took {waited:.1f} s at {step:+d} h"
                assert visitor.say(f"at{step}{began}", "still here")["t"] == "pub_ok"
            account = crowd.finish()
        finally:
            crowd.kill()
        assert account["stuck"] == 0, "someone lost touch"
        transcript = gateway.folder / "transcript.jsonl"
        write_transcript(gateway, key, history, transcript)
        assert gateway.stop() == 0
        gateway.verify()
        assert_kept(checker, [history], transcript)


main()
