#!/usr/bin/env python3
"""Each check passes on a clean tree and fails on a planted violation: one that cannot fail
checks nothing."""
import os
import sys
import tempfile

import check
import rules
from tree import Tree

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "../../.clang-format"), encoding="utf-8") as style:
    STYLE = style.read()

CLEAN = {
    ".clang-format": STYLE,
    "base/a.h": "#ifndef A_H\n#define A_H\n\nint hl_a(int b);\n\n#endif\n",
    "base/a.c": '#include "base/a.h"\n\n#include <string.h>\n\nint hl_a(int b)\n{\n'
                "    return b; /* sprintf( in a comment */\n}\n",
    "store/b.c": '#include <sqlite3.h>\n\n#include "base/a.h"\n',
    "README.md": "# Title\n\nSee [below](#two-words) and [code](base/a.c).\n\n## Two words\n",
    "ARCHITECTURE.md": "`hl_a()` is in `base/a.c`.\n",
    "meson-logs/meson-log.txt": "all is well\n",
}


def function_of(lines):
    return "int hl_long(void);\nint hl_long(void)\n{\n" + "    ;\n" * (lines - 4) + \
        "    return 0;\n}\n"


DEEP = ("void hl_deep(int a)\n{\n    if (a) {\n        for (;;) {\n            while (a) {\n"
        "                if (a) {\n                }\n            }\n        }\n    }\n}\n")
DEEP_ENOUGH = DEEP.replace("while (a)", "").replace("            {", "            {;")

# check, what is planted, whether it must be found
PLANTED = [
    ("folders", {"base/x.c": '#include "store/b.h"\n', "store/b.h": ""}, True),
    ("folders", {"base/x.c": '#include "a.h"\n'}, True),
    ("folders", {"gateway/x.c": '#include "base/a.h"\n'}, False),
    ("folders", {"gateway/x.c": '#include "tests/y.h"\n', "tests/y.h": ""}, True),
    ("libraries", {"session/x.c": "#include <sqlite3.h>\n"}, True),
    ("libraries", {"base/x.c": "#include <openssl/ssl.h>\n"}, True),
    ("libraries", {"base/x.c": "#include <curl/curl.h>\n"}, True),
    ("libraries", {"tests/x.c": "#include <sqlite3.h>\n"}, False),
    ("order", {"base/x.c": '#include <stdio.h>\n#include "base/x.h"\n', "base/x.h": ""}, True),
    ("order", {"base/x.c": '#include "base/a.h"\n#include <stdio.h>\n'}, True),
    ("headers", {"base/x.h": "size_t hl_x(void);\n"}, True),
    ("headers", {"base/x_table.h": "HL_X(ONE, 1)\n"}, False),
    ("sizes", {"base/x.c": function_of(60)}, False),
    ("sizes", {"base/x.c": function_of(61)}, True),
    ("sizes", {"base/x.c": function_of(61),
               "tests/checks/size-exceptions": "base/x.c:hl_long 61\n"}, False),
    ("sizes", {"base/x.c": function_of(61),
               "tests/checks/size-exceptions": "base/x.c:hl_long 62\n"}, True),
    ("sizes", {"tests/checks/size-exceptions": "base/x.c:hl_gone 70\n"}, True),
    ("sizes", {"base/x.c": "\n" * 601}, True),
    ("sizes", {f"base/x{i}.c": "" for i in range(rules.FOLDER_SOURCES_MAX)}, True),
    ("nesting", {"base/x.c": DEEP}, True),
    ("nesting", {"base/x.c": DEEP_ENOUGH}, False),
    ("calls", {"base/x.c": "void hl_x(char *a)\n{\n    strcpy(a, a);\n}\n"}, True),
    ("calls", {"base/x.c": "int hl_x = snprintf(0, 0, 0) + a->gets(1);\n"}, False),
    ("calls", {"tests/unit/base/test_x.c": "void hl_x(void)\n{\n    usleep(1);\n}\n"}, True),
    ("leftovers", {"base/x.c": "/* TODO */\n"}, True),
    ("leftovers", {"docs/x.md": "This is not implemented.\n"}, True),
    ("text", {"docs/x.md": "See /home/me/file.\n"}, True),
    ("text", {"docs/x.md": "See https://example.org/work/it.\n"}, False),
    ("format", {"base/x.c": "int  hl_x ;\n"}, True),
    ("links", {"docs/x.md": "[gone](gone.md)\n"}, True),
    ("links", {"docs/x.md": "[gone](../README.md#gone)\n"}, True),
    ("links", {"base/x.c": "/* see docs/gone.md */\n"}, True),
    ("links", {"docs/x.md": "[there](../README.md#two-words)\n"}, False),
    ("shell", {"scripts/x": "#!/bin/bash\ncd x\n"}, True),
    ("shell", {"scripts/x": "#!/bin/bash\ncd x || exit 1\n"}, False),
    ("names", {"ARCHITECTURE.md": "`hl_gone()`\n"}, True),
    ("names", {"ARCHITECTURE.md": "`base/gone.c`\n"}, True),
    ("setup", {"meson-logs/meson-log.txt": "meson.build:1: WARNING: odd\n"}, True),
]


def violations_in(name, planted):
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**CLEAN, **planted}.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        return list(check.CHECKS[name](Tree(root)))


def main():
    wrong = []
    for name in check.CHECKS:
        if violations_in(name, {}):
            wrong.append(f"{name}: finds {violations_in(name, {})} in a clean tree")
        if not any(n == name and is_bad for n, _, is_bad in PLANTED):
            wrong.append(f"{name}: has no planted violation")
    for name, planted, is_bad in PLANTED:
        found = violations_in(name, planted)
        if bool(found) != is_bad:
            wrong.append(f"{name}: {planted} should {'' if is_bad else 'not '}be found: {found}")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


sys.exit(main())
