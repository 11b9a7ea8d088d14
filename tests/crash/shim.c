/* Stands before the C library of a program under test: lets calls fail, and moves the clock.

   HARNESS_SHIM_CALL   read, write, sync, rename, remove or open
   HARNESS_SHIM_PATH   a part of the path that is meant
   HARNESS_SHIM_NTH    which call of those fails, from 1; "3+" means the third and all after it
   HARNESS_SHIM_BACK   seconds that the clock goes back, HARNESS_SHIM_AFTER milliseconds after the start */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static long seen;
static struct timespec began;

__attribute__((constructor)) static void begin(void) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    real(CLOCK_MONOTONIC, &began);
}

static int fails(const char *call, const char *path) {
    const char *wanted = getenv("HARNESS_SHIM_CALL"), *part = getenv("HARNESS_SHIM_PATH");
    const char *nth = getenv("HARNESS_SHIM_NTH");
    if (!wanted || !part || !nth || !path || strcmp(wanted, call) || !strstr(path, part)) return 0;
    long count = __sync_add_and_fetch(&seen, 1), first = atol(nth);
    if (count != first && !(count > first && strchr(nth, '+'))) return 0;
    errno = EIO;
    return 1;
}

static int fails_fd(const char *call, int fd) {
    char link[64], path[4096];
    if (!getenv("HARNESS_SHIM_CALL")) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return fails(call, path);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    return fails_fd("write", fd) ? -1 : real(fd, bytes, count);
}

ssize_t read(int fd, void *bytes, size_t count) {
    static ssize_t (*real)(int, void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "read");
    return fails_fd("read", fd) ? -1 : real(fd, bytes, count);
}

int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    return fails_fd("sync", fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    return fails_fd("sync", fd) ? -1 : real(fd);
}

int rename(const char *from, const char *to) {
    static int (*real)(const char *, const char *);
    if (!real) real = dlsym(RTLD_NEXT, "rename");
    return fails("rename", to) ? -1 : real(from, to);
}

int unlink(const char *path) {
    static int (*real)(const char *);
    if (!real) real = dlsym(RTLD_NEXT, "unlink");
    return fails("remove", path) ? -1 : real(path);
}

#define OPEN(name)                                                          \
    int name(const char *path, int flags, ...) {                            \
        static int (*real)(const char *, int, ...);                         \
        if (!real) real = dlsym(RTLD_NEXT, #name);                          \
        va_list rest;                                                       \
        va_start(rest, flags);                                              \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, int) : 0; \
        va_end(rest);                                                       \
        return fails("open", path) ? -1 : real(path, flags, mode);          \
    }
OPEN(open)
OPEN(open64)

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int answer = real(clock, now);
    const char *back = getenv("HARNESS_SHIM_BACK"), *after = getenv("HARNESS_SHIM_AFTER");
    if (answer || clock != CLOCK_REALTIME || !back) return answer;
    struct timespec present;
    real(CLOCK_MONOTONIC, &present);
    long since = (present.tv_sec - began.tv_sec) * 1000 + (present.tv_nsec - began.tv_nsec) / 1000000;
    if (since >= (after ? atol(after) : 0)) now->tv_sec -= atol(back);
    return answer;
}
