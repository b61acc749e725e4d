/* Preloaded into a gateway by the fault tests: makes the machine fail at a chosen moment. The
 * test steers it through a shared file of 64-bit numbers (HOLDLINE_SHIM_CONTROL); only files
 * below HOLDLINE_SHIM_FOLDER count. The product knows nothing of it. */
#undef _FILE_OFFSET_BITS /* both names of each call are defined here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control {                    /* as gateway.py writes it */
    _Atomic int64_t n_writes;       /* changes of files so far */
    _Atomic int64_t kill_at;        /* kill -9 just before this change; 0: never */
    _Atomic int64_t is_torn;        /* … after half of its bytes were written */
    _Atomic int64_t n_syncs;        /* fsync and fdatasync so far */
    _Atomic int64_t fail_sync_at;   /* EIO from this one on; 0: never */
    _Atomic int64_t is_full;        /* writes get ENOSPC */
    _Atomic int64_t clock_shift_ns; /* added to the wall clock */
};

static struct control *control;
static const char *folder;

static ssize_t (*real_pwrite)(int fd, const void *data, size_t size, off_t offset);
static ssize_t (*real_write)(int fd, const void *data, size_t size);
static int (*real_fsync)(int fd);
static int (*real_fdatasync)(int fd);
static int (*real_ftruncate)(int fd, off_t size);
static int (*real_unlink)(const char *path);
static int (*real_clock_gettime)(clockid_t clock, struct timespec *out);

__attribute__((constructor)) static void start(void)
{
    *(void **)&real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    *(void **)&real_write = dlsym(RTLD_NEXT, "write");
    *(void **)&real_fsync = dlsym(RTLD_NEXT, "fsync");
    *(void **)&real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    *(void **)&real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    *(void **)&real_unlink = dlsym(RTLD_NEXT, "unlink");
    *(void **)&real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("HOLDLINE_SHIM_CONTROL");
    folder = getenv("HOLDLINE_SHIM_FOLDER");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || folder == NULL)
        return;
    void *memory = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    control = memory == MAP_FAILED ? NULL : memory;
}

static int is_ours_path(const char *path)
{
    return control != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_ours(int fd)
{
    char link[64], path[4096];
    if (control == NULL)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0)
        return 0;
    path[size] = '\0';
    return is_ours_path(path);
}

/* Counts one change of a file; does not return from the one it was told to die at. */
static void count_change(int fd, const void *data, size_t size, off_t offset)
{
    int64_t number = atomic_fetch_add(&control->n_writes, 1) + 1;
    if (number != atomic_load(&control->kill_at))
        return;
    if (atomic_load(&control->is_torn) != 0 && size > 1)
        real_pwrite(fd, data, size / 2, offset);
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset);
ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    if (is_ours(fd)) {
        count_change(fd, data, size, offset);
        if (atomic_load(&control->is_full) != 0) {
            errno = ENOSPC;
            return -1;
        }
    }
    return real_pwrite(fd, data, size, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite64(fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size)
{
    if (is_ours(fd))
        count_change(fd, data, 0, 0);
    return real_write(fd, data, size);
}

int ftruncate64(int fd, off_t size);
int ftruncate64(int fd, off_t size)
{
    if (is_ours(fd))
        count_change(fd, NULL, 0, 0);
    return real_ftruncate(fd, size);
}

int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

int unlink(const char *path)
{
    if (is_ours_path(path))
        count_change(-1, NULL, 0, 0);
    return real_unlink(path);
}

static int sync_file(int fd, int (*real)(int fd))
{
    if (is_ours(fd)) {
        int64_t number = atomic_fetch_add(&control->n_syncs, 1) + 1;
        int64_t from = atomic_load(&control->fail_sync_at);
        count_change(fd, NULL, 0, 0);
        if (from != 0 && number >= from) {
            errno = EIO;
            return -1;
        }
    }
    return real(fd);
}

int fsync(int fd)
{
    return sync_file(fd, real_fsync);
}

int fdatasync(int fd)
{
    return sync_file(fd, real_fdatasync);
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int r = real_clock_gettime(clock, out);
    if (r == 0 && control != NULL && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        out->tv_sec += atomic_load(&control->clock_shift_ns) / 1000000000;
    return r;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec time;
    (void)zone;
    int r = clock_gettime(CLOCK_REALTIME, &time);
    out->tv_sec = time.tv_sec;
    out->tv_usec = time.tv_nsec / 1000;
    return r;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
