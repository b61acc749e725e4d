"""The tables that the checks enforce. A change here is a decision; say why in the commit."""

# A folder may include itself and what stands to its left.
FOLDERS = ["base", "store", "session", "agent-api", "gateway"]

# External header (prefix) -> the files that may include it. Tests may include any.
LIBRARIES = {
    "jansson.h": ["base/json.h", "base/json.c"],
    "uthash.h": ["base/table.h"],
    "sodium.h": ["base/clock.c", "base/hash.c", "base/table.c", "store/chain.c", "store/seal.c",
                 "store/directory/*.c", "store/directory_people.c", "store/directory_snapshot.c",
                 "agent-api/once.c", "session/paseto.c", "session/token.c", "gateway/secrets.c",
                 "gateway/signin/claims.c", "gateway/signin/ticket.c", "gateway/visit/door.c"],
    "sqlite3.h": ["store/*"],
    "uv.h": ["gateway/loop_uv.c", "gateway/wire_state.h", "gateway/conn.h"],
    "libwebsockets.h": ["gateway/ws/*"],
    "zlib.h": ["gateway/deflate.c"],
    "curl/": ["gateway/signin/fetch.c"],
    "cjose/": ["gateway/signin/jose.c"],
    "openssl/": ["gateway/tls.c"],
    "unicode/": ["agent-api/hours.c"],
    "libconfig.h": ["gateway/config*.c"],
}

# The C library, POSIX and Linux headers in use.
SYSTEM = set("""
    argp.h arpa/inet.h ctype.h dirent.h errno.h fcntl.h fnmatch.h getopt.h inttypes.h limits.h math.h
    net/if.h netdb.h netinet/in.h netinet/tcp.h poll.h pthread.h sched.h signal.h stdalign.h
    stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h
    strings.h sys/epoll.h sys/eventfd.h sys/file.h sys/inotify.h sys/ioctl.h sys/mman.h sys/random.h
    sys/resource.h sys/signalfd.h sys/socket.h sys/stat.h sys/statvfs.h sys/syscall.h sys/time.h sys/types.h
    sys/uio.h sys/un.h sys/utsname.h sys/wait.h syslog.h termios.h time.h unistd.h
""".split())

BANNED_CALLS = ["sprintf", "vsprintf", "strcpy", "strcat", "gets", "atoi", "atol", "atoll",
                "strtok", "alloca"]
# Tests wait for events, not for time to pass.
BANNED_IN_TESTS = ["sleep", "usleep", "nanosleep"]
WAITING_TESTS = ["tests/unit/", "tests/contract/", "tests/sim/"]

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 600
FOLDER_SOURCES_MAX = 20
NESTING_MAX = 3

LEFTOVERS = r"\b(TODO|FIXME|XXX|HACK)\b|\b(stub|stubbed|for now|not implemented)\b"
MACHINE_TEXT = (r"(?<![\w.])/(work|home|root|Users)/\w|/tmp/plan\b"
                r"|\bregistry\.npmjs\.org\b|\bdeb\.debian\.org\b|\bpypi\.org\b")
