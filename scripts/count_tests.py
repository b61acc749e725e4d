#!/usr/bin/env python3
"""Reads meson's testlog.json; prints the slowest tests, the failed ones and the totals."""
import json
import sys

SLOWEST = 8
TAIL_LINES = 50


def read_results(path):
    with open(path, encoding="utf-8") as log:
        return [json.loads(line) for line in log if line.strip()]


def main():
    try:
        results = read_results(sys.argv[1])
    except FileNotFoundError:
        results = []
    passed = [r for r in results if r["result"] in ("OK", "EXPECTEDFAIL")]
    skipped = [r for r in results if r["result"] == "SKIP"]
    failed = [r for r in results if r not in passed and r not in skipped]
    print("\nslowest:")
    for r in sorted(results, key=lambda r: -r["duration"])[:SLOWEST]:
        print(f"  {r['duration']:7.1f} s  {r['name']}")
    for r in skipped:
        print(f"skipped: {r['name']}")
    for r in failed:
        print(f"failed: {r['name']} ({r['result']})")
        output = r.get("stdout", "") + r.get("stderr", "")
        print("\n".join("    " + line for line in output.splitlines()[-TAIL_LINES:]))
    print(f"{len(passed)} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or not results else 0


sys.exit(main())
