/*
 * Loaded into leoctl by LD_PRELOAD: a clock that is wrong, a disk that fails, and names of hosts that are found.
 *
 * LEOCTL_TEST_CLOCK   seconds that the time of day is ahead (or behind, when negative)
 * LEOCTL_TEST_PREFIX  what names of hosts lose from their beginning before they are looked up
 * LEOCTL_TEST_DISK    the folder whose changes are counted and disturbed
 * LEOCTL_TEST_LOG     where each change is written down, one line each
 * LEOCTL_TEST_AT      the change, from 0, that is struck
 * LEOCTL_TEST_HOW     torn: half of it is done, and the process dies
 *                     full: half of it is done, and from then on there is no space
 *                     readonly: from then on nothing can be changed
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long shift(void) {
    const char *text = getenv("LEOCTL_TEST_CLOCK");
    return text ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = REAL(clock_gettime)(clock, now);
    if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += shift();
    return result;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    const char *prefix = getenv("LEOCTL_TEST_PREFIX");
    if (node && prefix && strncmp(node, prefix, strlen(prefix)) == 0) node += strlen(prefix);
    return REAL(getaddrinfo)(node, service, hints, found);
}

static int ours(const char *path) {
    const char *folder = getenv("LEOCTL_TEST_DISK");
    char whole[2 * PATH_MAX];
    if (!folder || !path) return 0;
    if (*path != '/') {
        if (!getcwd(whole, PATH_MAX)) return 0;
        strcat(whole, "/");
        strncat(whole, path, PATH_MAX - 2);
        path = whole;
    }
    return strncmp(path, folder, strlen(folder)) == 0;
}

static int ours_at(int file) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return ours(path);
}

enum strike { NONE, TORN, FULL, READONLY };

/* What happens to a change. */
static enum strike next(const char *what) {
    static atomic_long count;
    long number = atomic_fetch_add(&count, 1);
    const char *log = getenv("LEOCTL_TEST_LOG");
    if (log) {
        int file = REAL(open)(log, O_WRONLY | O_APPEND | O_CREAT, 0600);
        char line[64];
        int length = snprintf(line, sizeof line, "%s\n", what);
        if (file >= 0) {
            (void)!REAL(write)(file, line, length);
            REAL(close)(file);
        }
    }
    const char *at = getenv("LEOCTL_TEST_AT"), *how = getenv("LEOCTL_TEST_HOW");
    if (!at || !how || number < atol(at)) return NONE;
    if (strcmp(how, "torn") == 0) return number == atol(at) ? TORN : NONE;
    return strcmp(how, "full") == 0 ? FULL : READONLY;
}

/* -1 with the reason, or death; 0 to go on. */
static int struck(const char *what, int takes_space) {
    switch (next(what)) {
    case TORN: kill(getpid(), SIGKILL); return -1;
    case FULL: if (!takes_space) return 0; errno = ENOSPC; return -1;
    case READONLY: errno = EROFS; return -1;
    default: return 0;
    }
}

ssize_t write(int file, const void *bytes, size_t length) {
    if (!ours_at(file)) return REAL(write)(file, bytes, length);
    enum strike strike = next("write");
    if (strike == TORN || strike == FULL) {
        static atomic_int begun;
        if (strike == TORN || !atomic_exchange(&begun, 1)) (void)!REAL(write)(file, bytes, length / 2);
    }
    if (strike == TORN) kill(getpid(), SIGKILL);
    if (strike != NONE) {
        errno = strike == FULL ? ENOSPC : EROFS;
        return -1;
    }
    return REAL(write)(file, bytes, length);
}

static int opened(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode) {
    if ((flags & (O_CREAT | O_WRONLY | O_RDWR)) && ours(path) && struck("open", (flags & O_CREAT) != 0)) return -1;
    return real(path, flags, mode);
}

#define OPEN(name)                                        \
    int name(const char *path, int flags, ...) {          \
        va_list rest;                                     \
        va_start(rest, flags);                            \
        mode_t mode = va_arg(rest, mode_t);               \
        va_end(rest);                                     \
        return opened(REAL(name), path, flags, mode);     \
    }

OPEN(open)
OPEN(open64)

int fsync(int file) { return ours_at(file) && struck("fsync", 1) ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return ours_at(file) && struck("fdatasync", 1) ? -1 : REAL(fdatasync)(file); }
int ftruncate64(int file, off64_t length) { return ours_at(file) && struck("ftruncate", 0) ? -1 : REAL(ftruncate64)(file, length); }
int rename(const char *from, const char *to) { return ours(to) && struck("rename", 0) ? -1 : REAL(rename)(from, to); }
int unlink(const char *path) { return ours(path) && struck("unlink", 0) ? -1 : REAL(unlink)(path); }
int mkdir(const char *path, mode_t mode) { return ours(path) && struck("mkdir", 1) ? -1 : REAL(mkdir)(path, mode); }
