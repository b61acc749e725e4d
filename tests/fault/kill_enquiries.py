"""kill -9 at random moments while enquiries come in, each sent again until it is confirmed. Each
confirmed one stands in the log exactly once, under the names that were given for it.

usage: kill_enquiries.py HOLDLINE
`./dev test --full`: 20 kills. HOLDLINE_SEED repeats the moments."""

import collections
import http.client
import os
import random
import sys
import threading
import time

from gateway import IS_FULL, Gateway

N_SENDERS = 16
ACCEPTED = (200, 201)
REPEATABLE = (503, 507, 429)


class Senders:
    """Threads that send enquiries until they are told to stop; none gives one up."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.confirmed = {}
        self.n_repeats = 0
        self.wrong = []
        self.is_over = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(i,)) for i in range(N_SENDERS)]
        for thread in self.threads:
            thread.start()

    def _run(self, number):
        count = 0
        while not self.is_over.is_set():
            key = f"sender-{number}-{count}"
            count += 1
            while not self._try(key):
                if self.is_over.is_set() and self.gateway.is_dead():
                    return
                time.sleep(0.02)  # as a client does before it tries again

    def _try(self, key):
        body = {"contact": {"name": "Jo"}, "message": {"text": key}}
        try:
            status, answer = self.gateway.request("POST", "/v1/enquiries", body,
                                                  {"Idempotency-Key": key})
        except (OSError, http.client.HTTPException):
            return False
        if status in REPEATABLE:
            return False
        with self.lock:
            if status in ACCEPTED:
                self.confirmed[key] = answer
                self.n_repeats += status == 200
            else:
                self.wrong.append((status, answer))
        return True

    def finish(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join()


def read_log(gateway, secret):
    """Text -> conversations, of the whole log."""
    found = collections.defaultdict(list)
    cursor, has_more = "start", True
    while has_more:
        status, page = gateway.request("GET", f"/v1/events?cursor={cursor}&limit=200&wait=0",
                                       headers={"Authorization": f"Bearer {secret}"})
        assert status == 200, page
        for entry in page["data"]:
            found[entry["body"]["message"]["text"]].append(entry["conversation"])
        cursor, has_more = page["next_cursor"], page["has_more"]
    return found


def main():
    n_kills = 20 if IS_FULL else 5
    seed = int(os.environ.get("HOLDLINE_SEED") or random.SystemRandom().randrange(1 << 32))
    moments = random.Random(seed)
    print(f"{n_kills} kills, HOLDLINE_SEED={seed}")
    with Gateway(sys.argv[1]) as gateway:
        secret = gateway.start_with_key()
        senders = Senders(gateway)
        try:
            for _ in range(n_kills):
                time.sleep(moments.uniform(0.05, 0.8))  # the moment is the test
                assert not gateway.is_dead(), "the gateway died by itself"
                gateway.kill()
                gateway.start()
        finally:
            senders.finish()
        found = read_log(gateway, secret)
        assert gateway.stop() == 0
        gateway.verify()
    print(f"{len(senders.confirmed)} enquiries confirmed, {senders.n_repeats} of them as repeats")
    assert not senders.wrong, senders.wrong[:3]
    assert senders.confirmed
    for key, answer in senders.confirmed.items():
        assert found[key] == [answer["conversation"]], (key, found[key], answer)
    assert all(len(conversations) == 1 for conversations in found.values())
    references = {answer["reference"] for answer in senders.confirmed.values()}
    assert len(references) == len(senders.confirmed)


main()
