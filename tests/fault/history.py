"""What the fault tests do with histories: run the crowd, read the transcript back, check, and
plant bugs to see that the check can fail."""

import json
import subprocess

from gateway import PATIENCE_S

CLASSES = ["lost", "duplicate", "order", "gap", "resumed", "phantom", "place"]


class Crowd:
    """holdline-fault-load: visitors and agents who talk until told to stop."""

    def __init__(self, program, port, key, history, clients, pause_ms=200, settle_s=60):
        self.history = history
        agents = max(2, clients // 5)
        self.settle_s = settle_s
        self.process = subprocess.Popen(
            [program, str(port), key, str(history), str(clients - agents), str(agents),
             str(pause_ms), str(settle_s)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "started\n"

    def finish(self):
        """Lets all become level; the crowd's own account."""
        try:
            out, _ = self.process.communicate("stop\n", timeout=self.settle_s + PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        account = json.loads(out)
        print("crowd:", out.strip())
        assert self.process.returncode == 0, f"not all became level: {account}"
        return account

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def conversations_of(history):
    found = set()
    with open(history) as lines:
        for line in lines:
            event = json.loads(line)
            if event["op"] in ("send", "acked"):
                found.add(event["c"])
    return sorted(found)


def write_transcript(gateway, key, history, path):
    """Reads back every conversation of the history through the agents' API."""
    n = 0
    with open(path, "w") as out:
        for conversation in conversations_of(history):
            for entry in gateway.transcript(key, conversation):
                n += 1
                out.write(json.dumps({
                    "c": conversation, "o": entry["offset"], "mid": entry["client_id"],
                    "author": entry["from"]["id"], "kind": entry["kind"],
                    "body": entry["body"].get("text", "")}) + "\n")
    return n


def check(checker, histories, transcript):
    """The checker's counts."""
    done = subprocess.run([checker, *map(str, histories), "--transcript", str(transcript),
                           "--json"], capture_output=True, text=True, timeout=PATIENCE_S * 4)
    assert done.returncode in (0, 1), done.stderr
    counts = json.loads(done.stdout)
    counts["exit"] = done.returncode
    return counts


def assert_kept(checker, histories, transcript):
    counts = check(checker, histories, transcript)
    print("check:", json.dumps(counts))
    if counts["exit"] != 0:
        subprocess.run([checker, *map(str, histories), "--transcript", str(transcript)],
                       check=False)
        raise AssertionError("promises were broken")
    assert counts["acked"] > 0 and counts["delivered"] > 0, "nothing was proved"
    return counts


# -- planted bugs: a true history, and one lie --

def _lines(path):
    with open(path) as stream:
        return [json.loads(line) for line in stream]


def _write(path, items):
    with open(path, "w") as out:
        out.writelines(json.dumps(item) + "\n" for item in items)


def _last(items, *ops):
    return max(i for i, item in enumerate(items) if item.get("op") in ops)


def _drop_acked(events, entries):
    event = events[_last(events, "acked")]
    entries[:] = [entry for entry in entries if entry["mid"] != event["mid"]]


def _store_twice(events, entries):
    conversation = events[_last(events, "acked")]["c"]
    own = [entry for entry in entries if entry["c"] == conversation]
    entries.append(own[0] | {"o": max(entry["o"] for entry in own) + 1})


def _deliver_twice(events, entries):
    at = _last(events, "deliver")
    events.insert(at + 1, dict(events[at]))


def _swap_entries(events, entries):
    conversation = events[_last(events, "acked")]["c"]
    a, b = [entry for entry in entries if entry["c"] == conversation][:2]
    a["o"], b["o"] = b["o"], a["o"]


def _skip_delivery(events, entries):
    seen = {}
    for i, event in enumerate(events):
        if event["op"] == "deliver":
            place = (event["client"], event["c"])
            if place in seen:
                del events[seen[place]]
                return
            seen[place] = i


def _lie_about_resume(events, entries):
    event = next(event for event in events if event["op"] == "verdict" and event["pos"] > 0)
    event["head"] = event["pos"] - 1


def _invent(events, entries):
    conversation = events[_last(events, "acked")]["c"]
    own = [entry for entry in entries if entry["c"] == conversation]
    own[0]["body"] += "!"


def _misplace_ack(events, entries):
    events[_last(events, "acked")]["o"] += 1


LIES = {"lost": _drop_acked, "duplicate": _deliver_twice, "order": _swap_entries,
        "gap": _skip_delivery, "resumed": _lie_about_resume, "phantom": _invent,
        "place": _misplace_ack}


def assert_lies_are_found(checker, history, transcript, folder):
    """Each class of finding has a planted bug that turns it red."""
    lies = list(LIES.items()) + [("duplicate", _store_twice)]
    for name, lie in lies:
        events, entries = _lines(history), _lines(transcript)
        lie(events, entries)
        _write(folder / "lie.history", events)
        _write(folder / "lie.transcript", entries)
        counts = check(checker, [folder / "lie.history"], folder / "lie.transcript")
        assert counts["exit"] == 1 and counts[name] > 0, f"{lie.__name__} was not found: {counts}"
    print(f"lies: {len(lies)} of {len(lies)} found")
