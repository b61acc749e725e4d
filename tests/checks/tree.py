"""What the checks look at: the project's own files, without comments where code is meant."""
import os
import re
import subprocess

SKIPPED_FOLDERS = {".git", "node_modules", "data", "dist"}


class Tree:
    """A repository, or a folder that looks like one (the checks' own test plants files there)."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.paths = sorted(self._list())

    def _list(self):
        if os.path.isdir(os.path.join(self.root, ".git")) or os.path.isfile(
            os.path.join(self.root, ".git")
        ):
            listing = subprocess.run(
                ["git", "-c", "safe.directory=*", "ls-files", "-z"],
                cwd=self.root, capture_output=True, check=False, text=True)
            if listing.returncode == 0:
                return [p for p in listing.stdout.split("\0")
                        if p and os.path.isfile(os.path.join(self.root, p))]
        return list(self._walk())

    def _walk(self):
        for folder, subfolders, names in os.walk(self.root):
            subfolders[:] = [s for s in subfolders
                             if s not in SKIPPED_FOLDERS and not s.startswith("build")]
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), self.root)

    def matching(self, *endings):
        return [p for p in self.paths if p.endswith(endings)]

    def absolute(self, path):
        return os.path.join(self.root, path)

    def text(self, path):
        """The file's text, or None if it is not text."""
        with open(self.absolute(path), "rb") as file:
            data = file.read()
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return None

    def code(self, path):
        """C text with comments and literals blanked; every line stays where it was."""
        return blank(self.text(path) or "")


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def blank(text):
    def keep_lines(match):
        token = match.group()
        if token.startswith('"'):
            return '""'
        if token.startswith("'"):
            return "' '"
        return re.sub(r"[^\n]", " ", token)

    return TOKEN.sub(keep_lines, text)
