"""An fsync that fails: whoever waits is told `unavailable` (or loses the link), never `pub_ok`;
the process leaves service and exits with an error; what the next one finds is consistent.

usage: sync_error.py HOLDLINE SHIM"""

import http.client
import sys

from gateway import Gateway, Shim, Visitor


def main():
    binary, library = sys.argv[1:3]
    with Gateway(binary) as gateway:
        shim = Shim(library, gateway.data)
        key = gateway.start_with_key(shim)
        visitor = Visitor(gateway)
        visitor.poll()
        assert visitor.say("first", "before the fault")["t"] == "pub_ok"
        shim.control.n_syncs, shim.control.fail_sync_at = 0, 1
        try:
            answer = visitor.say("second", "at the fault")
        except (OSError, http.client.HTTPException) as failure:
            answer = {"t": "none", "failure": repr(failure)}
        print("answer:", answer)
        assert answer["t"] != "pub_ok", "confirmed without fsync"
        assert answer["t"] == "none" or answer["problem"]["code"] in ("unavailable", "draining")
        code = gateway.wait()
        print("exit code:", code)
        assert code > 0, f"must exit by itself with an error, not {code}"
        gateway.verify()
        gateway.start()
        visitor.forget_link()
        assert visitor.say("second", "at the fault")["o"] == 2
        entries = gateway.transcript(key, visitor.conversation)
        assert [entry["client_id"] for entry in entries] == ["first", "second"], entries
        assert gateway.stop() == 0
        gateway.verify()


main()
