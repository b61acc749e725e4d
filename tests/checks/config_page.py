"""The table of keys in docs/configuration.md is what `holdline check --keys` prints."""
import subprocess
import sys

binary, page = sys.argv[1:3]
START = "<!-- made by `holdline check --keys`; a test compares -->\n"
END = "<!-- end -->"

table = subprocess.run([binary, "check", "--keys"], check=True, capture_output=True,
                       text=True, timeout=30).stdout
with open(page, encoding="utf-8") as file:
    text = file.read()
if START not in text or END not in text:
    sys.exit(f"{page}: the markers around the table are gone")
written = text.split(START, 1)[1].split(END, 1)[0]
if written != table:
    sys.exit(f"{page}: put the output of `holdline check --keys` between the markers")
