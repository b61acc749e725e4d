#!/usr/bin/env python3
"""check.py NAME ROOT: one rule of the house over the whole tree; prints what breaks it."""
import concurrent.futures
import fnmatch
import json
import os
import re
import subprocess
import sys

import rules
from tree import Tree

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def includes_of(tree, path):
    text = tree.text(path) or ""
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start(2)) + 1, match.group(1) == "<", match.group(2)


def check_folders(tree):
    """Who may include whom: only to the left; always by folder/file.h from the root."""
    for path in tree.matching(".c", ".h"):
        folder = path.split("/")[0]
        for line, is_system, header in includes_of(tree, path):
            if is_system:
                continue
            target = header.split("/")[0]
            if not os.path.isfile(tree.absolute(header)):
                yield f"{path}:{line}: \"{header}\" is not a path from the root"
            elif folder in rules.FOLDERS and (
                target not in rules.FOLDERS
                or rules.FOLDERS.index(target) > rules.FOLDERS.index(folder)
            ):
                yield f"{path}:{line}: {folder} must not include {target}"


def may_include(path, header):
    for library, files in rules.LIBRARIES.items():
        if header == library or (library.endswith("/") and header.startswith(library)):
            return any(fnmatch.fnmatchcase(path, pattern) for pattern in files)
    return header in rules.SYSTEM


def check_libraries(tree):
    """Each external library is included only by the files that the table names."""
    for path in tree.matching(".c", ".h"):
        if path.split("/")[0] not in rules.FOLDERS:
            continue
        for line, is_system, header in includes_of(tree, path):
            if is_system and not may_include(path, header):
                yield f"{path}:{line}: <{header}> is not allowed here (tests/checks/rules.py)"


def check_order(tree):
    """Own header first, then <system> and <libraries>, then "folder/file.h"."""
    for path in tree.matching(".c"):
        if path.split("/")[0] not in rules.FOLDERS:
            continue
        own = path[:-2] + ".h"
        headers = list(includes_of(tree, path))
        if os.path.isfile(tree.absolute(own)) and headers and headers[0][2] != own:
            yield f"{path}:{headers[0][0]}: its own header {own} comes first"
        rest = [h for h in headers if h[2] != own]
        seen_ours = False
        for line, is_system, header in rest:
            seen_ours = seen_ours or not is_system
            if is_system and seen_ours:
                yield f"{path}:{line}: <{header}> after one of our own headers"


def compile_alone(tree, path):
    flags = subprocess.run(["pkg-config", "--cflags", "jansson", "cmocka"],
                           capture_output=True, text=True, check=False).stdout.split()
    result = subprocess.run(
        ["gcc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
         "-I", tree.root, *flags, "-x", "c", "-include", tree.absolute(path), "/dev/null"],
        capture_output=True, text=True, check=False)
    return result.returncode == 0, result.stderr


def check_headers(tree):
    """Every header compiles alone; X-macro tables are lists, not headers."""
    paths = [p for p in tree.matching(".h") if not p.endswith("_table.h")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, (is_good, why) in zip(paths, pool.map(lambda p: compile_alone(tree, p), paths)):
            if not is_good:
                yield f"{path}: does not compile alone: {why.splitlines()[0] if why else ''}"


def function_sizes(tree, paths):
    listing = subprocess.run(
        ["ctags", "--output-format=json", "--fields=+ne", "--languages=C", "--langmap=C:.c.h",
         "--c-kinds=f", "-f", "-", "-L", "-"], cwd=tree.root, input="\n".join(paths),
        capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        tag = json.loads(line)
        if tag.get("kind") == "function" and "end" in tag:
            yield tag["path"], tag["name"], tag["end"] - tag["line"] + 1


def read_exceptions(tree):
    exceptions = {}
    text = ""
    if "tests/checks/size-exceptions" in tree.paths:
        text = tree.text("tests/checks/size-exceptions")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, size = line.split()
            exceptions[name] = int(size)
    return exceptions


def check_sizes(tree):
    """Functions, files and folders stay small; the list of exceptions can only shrink."""
    exceptions = read_exceptions(tree)
    sizes = {f"{path}:{name}": size
             for path, name, size in function_sizes(tree, tree.matching(".c", ".h"))}
    limits = {name: rules.FUNCTION_LINES_MAX for name in sizes}
    for path in tree.matching(".c", ".h", ".js", ".mjs", ".py", ".sh"):
        sizes[path] = (tree.text(path) or "").count("\n")
        limits[path] = rules.FILE_LINES_MAX
    for name, size in sizes.items():
        allowed = exceptions.get(name, limits[name])
        if size > allowed:
            yield f"{name}: {size} lines, {allowed} allowed"
        elif name in exceptions and size < allowed:
            yield f"{name}: has {size} lines now: lower or remove its exception of {allowed}"
    for name in exceptions:
        if name not in sizes:
            yield f"{name}: is gone: remove its exception"
    for folder in {os.path.dirname(p) for p in tree.matching(".c")}:
        count = sum(1 for p in tree.matching(".c") if os.path.dirname(p) == folder)
        if count > rules.FOLDER_SOURCES_MAX:
            yield f"{folder}/: {count} sources, {rules.FOLDER_SOURCES_MAX} allowed"


CONTROL = re.compile(r"^(\}\s*)?(else\b|if\b|for\b|while\b|switch\b|do\b|hl_\w+_each\w*\b)")


def check_nesting(tree):
    """Control statements nest at most three deep."""
    for path in tree.matching(".c", ".h"):
        stack = []
        statement = ""
        for number, line in enumerate(tree.code(path).splitlines(), 1):
            if line.startswith("#") or line.startswith("}"):
                stack = [] if line.startswith("}") else stack
                statement = ""
                continue
            for character in line.strip() + " ":
                if character == "{":
                    is_control = bool(CONTROL.match(statement.strip()))
                    stack.append(is_control)
                    if is_control and sum(stack) > rules.NESTING_MAX:
                        yield f"{path}:{number}: nested {sum(stack)} deep"
                    statement = ""
                elif character == "}":
                    if stack:
                        stack.pop()
                    statement = ""
                elif character == ";" and statement.count("(") <= statement.count(")"):
                    statement = ""
                else:
                    statement += character


def find_calls(tree, path, names):
    code = tree.code(path)
    for match in re.finditer(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(", code):
        yield code.count("\n", 0, match.start()) + 1, match.group(1)


def check_calls(tree):
    """Calls that cannot be used safely, and sleeping where a test should wait for an event."""
    for path in tree.matching(".c", ".h"):
        names = list(rules.BANNED_CALLS)
        if path.startswith(tuple(rules.WAITING_TESTS)):
            names += rules.BANNED_IN_TESTS
        for line, name in find_calls(tree, path, names):
            yield f"{path}:{line}: {name}() is banned"


def find_text(tree, pattern, skipped):
    expression = re.compile(pattern)
    for path in tree.paths:
        if path.startswith(skipped):
            continue
        for number, line in enumerate((tree.text(path) or "").splitlines(), 1):
            match = expression.search(line)
            if match:
                yield f"{path}:{number}: \"{match.group()}\""


def check_leftovers(tree):
    """No notes to self, no unfinished parts."""
    yield from find_text(tree, rules.LEFTOVERS, ("tests/checks/",))


def check_text(tree):
    """The project speaks of itself only: no paths of a machine, no hosts of package registries."""
    yield from find_text(tree, rules.MACHINE_TEXT, ("tests/checks/",))


def check_format(tree):
    """C files are as clang-format writes them."""
    files = tree.matching(".c", ".h")
    result = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], cwd=tree.root,
                            capture_output=True, text=True, check=False)
    yield from (line for line in result.stderr.splitlines() if ": error:" in line)
    if result.returncode != 0 and ": error:" not in result.stderr:
        yield f"clang-format failed: {result.stderr.strip()}"


def check_shell(tree):
    """Shell scripts say what they mean."""
    scripts = [p for p in tree.paths
               if p.endswith(".sh") or re.match(r"#!.*\b(ba)?sh\b", tree.text(p) or "")]
    if not scripts:
        return
    result = subprocess.run(["shellcheck", "-S", "warning", "-f", "gcc", *scripts], cwd=tree.root,
                            capture_output=True, text=True, check=False)
    yield from (result.stdout + result.stderr).splitlines()


def slug_of(heading):
    heading = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def anchors_of(text):
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return {slug_of(h) for h in re.findall(r"^#+\s+(.*)$", text, re.MULTILINE)} | set(
        re.findall(r'<a (?:id|name)="([^"]+)"', text))


def check_links(tree):
    """Relative links between documents lead somewhere, and so do pages named in the code."""
    for path in tree.matching(".md"):
        text = re.sub(r"^```.*?^```", "", tree.text(path) or "", flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            linked = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
            if not os.path.exists(tree.absolute(linked)):
                yield f"{path}: {target} does not exist"
            elif anchor and linked.endswith(".md") and anchor not in anchors_of(
                tree.text(linked) or ""
            ):
                yield f"{path}: {target}: no such heading"
    for path in tree.matching(".c", ".h", ".mjs"):
        for page in re.findall(r"\bdocs/[\w/\-]+\.\w+", tree.text(path) or ""):
            if not os.path.exists(tree.absolute(page)):
                yield f"{path}: {page} does not exist"


def check_setup(tree):
    """Meson set this build folder up without a warning."""
    for line in (tree.text("meson-logs/meson-log.txt") or "").splitlines():
        if "WARNING:" in line:
            yield line


def check_names(tree):
    """Every function that ARCHITECTURE.md names exists in the code."""
    if "ARCHITECTURE.md" not in tree.paths:
        yield "ARCHITECTURE.md is missing"
        return
    code = "\n".join(tree.code(p) for p in tree.matching(".c", ".h"))
    for name in sorted(set(re.findall(r"`(\w+)\(\)`", tree.text("ARCHITECTURE.md")))):
        if not re.search(r"\b" + name + r"\b", code):
            yield f"ARCHITECTURE.md: {name}() does not exist"
    for path in sorted(set(re.findall(r"`([\w\-/]+/[\w\-]+\.[ch])`", tree.text("ARCHITECTURE.md")))):
        if not os.path.isfile(tree.absolute(path)):
            yield f"ARCHITECTURE.md: {path} does not exist"


CHECKS = {name[len("check_"):]: function for name, function in list(globals().items())
          if name.startswith("check_")}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in CHECKS:
        print(f"usage: check.py {'|'.join(CHECKS)} ROOT", file=sys.stderr)
        return 2
    violations = list(CHECKS[sys.argv[1]](Tree(sys.argv[2])))
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
