#!/usr/bin/env python3
"""hardening.py PROGRAM: it is position independent, its tables are read-only, its stack is guarded
and its copies are bounded. A program built without all that must fail, or nothing was checked."""
import os
import subprocess
import sys
import tempfile

MARKS = {
    "position independent": ["-h", "Type:", "DYN"],
    "read-only relocations": ["-lW", "GNU_RELRO", "GNU_RELRO"],
    "bound at the start": ["-dW", "FLAGS_1", "NOW"],
    "guarded stack": ["--dyn-syms", "__stack_chk_fail", "__stack_chk_fail"],
    "bounded copies": ["--dyn-syms", "_chk@", "_chk@"],
}
BARE = ["-O0", "-no-pie", "-fno-stack-protector", "-U_FORTIFY_SOURCE", "-Wl,-z,norelro",
        "-Wl,-z,lazy"]


def missing_marks(program):
    for name, (option, line, mark) in MARKS.items():
        text = subprocess.run(["readelf", "-W", option, program], capture_output=True, text=True,
                              check=True).stdout
        if not any(line in row and mark in row for row in text.splitlines()):
            yield name


def bare_program(folder):
    source = os.path.join(folder, "bare.c")
    program = os.path.join(folder, "bare")
    with open(source, "w", encoding="utf-8") as file:
        file.write('#include <stdio.h>\nint main(void) { char a[64]; '
                   'return snprintf(a, sizeof a, "x") != 1; }\n')
    subprocess.run(["gcc", *BARE, "-o", program, source], check=True)
    return program


def main():
    missing = list(missing_marks(sys.argv[1]))
    for name in missing:
        print(f"{sys.argv[1]}: not {name}")
    with tempfile.TemporaryDirectory() as folder:
        unseen = set(MARKS) - set(missing_marks(bare_program(folder)))
    for name in unseen:
        print(f"\"{name}\" was found in a program without it")
    return 1 if missing or unseen else 0


sys.exit(main())
