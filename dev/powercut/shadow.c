/* Keeps a shadow of what a program has synced to disk, so that a power cut can be played.
 *
 * Preloaded into a program, it remembers which pages of which file were written. At fsync or fdatasync of a file it copies those
 * pages to POWERCUT_SHADOW/inodes/<inode>; at fsync of a directory it writes the directory's names to POWERCUT_SHADOW/dirs/<inode>.
 * Each file that is written to gets a further link at POWERCUT_SHADOW/held/<inode>, so that no inode number comes to mean another
 * file. After the program was killed, dev/e2e/powercut.py makes the folder as a disk that lost power would have it.
 *
 * Only files on the device of POWERCUT_ROOT are looked at. POWERCUT_BREAK=1 forgets the copies: the test of the test.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096
#define BUCKETS 4096

struct inode {
    ino_t number;
    unsigned char *dirty; /* one bit for each page */
    size_t pages;
    off_t smallest; /* the smallest size since the last sync; -1 for none */
    struct inode *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct inode *inodes[BUCKETS];
static char shadow[2048];
static dev_t device;
static int on, broken;

__attribute__((constructor)) static void start(void) {
    const char *root = getenv("POWERCUT_ROOT"), *where = getenv("POWERCUT_SHADOW");
    struct stat status;
    if (!root || !where || stat(root, &status) || strlen(where) > 1900) return;
    snprintf(shadow, sizeof shadow, "%s", where);
    device = status.st_dev;
    broken = getenv("POWERCUT_BREAK") != NULL;
    on = 1;
}

/* The calls below must not come back here. */
static ssize_t raw_pwrite(int fd, const void *bytes, size_t count, off_t at) { return syscall(SYS_pwrite64, fd, bytes, count, at); }

static struct inode *find(ino_t number) {
    struct inode **at = &inodes[number % BUCKETS];
    for (; *at; at = &(*at)->next)
        if ((*at)->number == number) return *at;
    *at = calloc(1, sizeof **at);
    if (*at) {
        (*at)->number = number;
        (*at)->smallest = -1;
    }
    return *at;
}

/* The file's inode if it is one to look at; the lock is held. */
static struct inode *watched(int fd, struct stat *status) {
    if (syscall(SYS_fstat, fd, status) || status->st_dev != device || !S_ISREG(status->st_mode)) return NULL;
    struct inode *inode = find(status->st_ino);
    if (inode && inode->pages == 0) {
        char from[64], to[2200];
        snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
        snprintf(to, sizeof to, "%s/held/%lu", shadow, (unsigned long)status->st_ino);
        linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW);
    }
    return inode;
}

static void touch(struct inode *inode, off_t from, off_t to) {
    if (to <= from) return;
    size_t last = (size_t)((to - 1) / PAGE);
    if (last >= inode->pages) {
        size_t pages = (last + 1) * 2 + 64;
        unsigned char *more = realloc(inode->dirty, pages / 8 + 1);
        if (!more) abort();
        memset(more + (inode->pages ? inode->pages / 8 + 1 : 0), 0, pages / 8 + 1 - (inode->pages ? inode->pages / 8 + 1 : 0));
        inode->dirty = more;
        inode->pages = pages;
    }
    for (size_t page = (size_t)(from / PAGE); page <= last; page++) inode->dirty[page / 8] |= (unsigned char)(1 << page % 8);
}

static void wrote(int fd, off_t at, ssize_t count) {
    struct stat status;
    if (!on || count <= 0) return;
    int before = errno;
    pthread_mutex_lock(&lock);
    struct inode *inode = watched(fd, &status);
    if (inode) {
        if (at < 0) at = lseek(fd, 0, SEEK_CUR) - count;
        touch(inode, at, at + count);
    }
    pthread_mutex_unlock(&lock);
    errno = before;
}

static void shrunk(int fd, off_t size) {
    struct stat status;
    if (!on) return;
    int before = errno;
    pthread_mutex_lock(&lock);
    struct inode *inode = watched(fd, &status);
    if (inode) {
        if (inode->smallest < 0 || size < inode->smallest) inode->smallest = size;
        touch(inode, size / PAGE * PAGE, size / PAGE * PAGE + 1);
    }
    pthread_mutex_unlock(&lock);
    errno = before;
}

static void keep_file(int fd, struct inode *inode, off_t size) {
    char path[2200], own[64];
    unsigned char page[PAGE];
    snprintf(path, sizeof path, "%s/inodes/%lu", shadow, (unsigned long)inode->number);
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    int to = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int from = (int)syscall(SYS_openat, AT_FDCWD, own, O_RDONLY | O_CLOEXEC, 0);
    if (to < 0 || from < 0) abort();
    if (inode->smallest >= 0 && syscall(SYS_ftruncate, to, inode->smallest)) abort();
    for (size_t number = 0; number < inode->pages; number++) {
        if (!(inode->dirty[number / 8] & 1 << number % 8)) continue;
        ssize_t count = syscall(SYS_pread64, from, page, PAGE, (off_t)number * PAGE);
        if (count > 0 && raw_pwrite(to, page, (size_t)count, (off_t)number * PAGE) != count) abort();
    }
    if (syscall(SYS_ftruncate, to, size)) abort();
    if (inode->dirty) memset(inode->dirty, 0, inode->pages / 8 + 1);
    inode->smallest = -1;
    close(to);
    close(from);
}

static void keep_directory(int fd, ino_t number) {
    char path[2200], done[2300], own[64], held[2200], name[4400];
    snprintf(path, sizeof path, "%s/dirs/%lu.new", shadow, (unsigned long)number);
    snprintf(done, sizeof done, "%s/dirs/%lu", shadow, (unsigned long)number);
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    FILE *to = fopen(path, "we");
    DIR *from = opendir(own);
    if (!to || !from) abort();
    for (struct dirent *entry; (entry = readdir(from));) {
        struct stat status;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (fstatat(dirfd(from), entry->d_name, &status, AT_SYMLINK_NOFOLLOW)) continue;
        if (S_ISREG(status.st_mode)) {
            snprintf(held, sizeof held, "%s/held/%lu", shadow, (unsigned long)status.st_ino);
            snprintf(name, sizeof name, "/proc/self/fd/%d/%s", dirfd(from), entry->d_name);
            linkat(AT_FDCWD, name, AT_FDCWD, held, 0);
        }
        fprintf(to, "%lu %o %s\n", (unsigned long)status.st_ino, status.st_mode, entry->d_name);
    }
    closedir(from);
    fclose(to);
    rename(path, done);
}

static int synced(int fd) {
    struct stat status;
    if (!on) return -2;
    if (syscall(SYS_fstat, fd, &status)) return -1;
    if (status.st_dev != device || broken) return 0;
    pthread_mutex_lock(&lock);
    if (S_ISDIR(status.st_mode)) keep_directory(fd, status.st_ino);
    struct inode *inode = S_ISREG(status.st_mode) ? watched(fd, &status) : NULL;
    if (inode) keep_file(fd, inode, status.st_size);
    pthread_mutex_unlock(&lock);
    return 0;
}

/* Syncing for real would only cost time: the machine keeps its power. */
int fsync(int fd) {
    int kept = synced(fd);
    return kept == -2 ? (int)syscall(SYS_fsync, fd) : kept;
}
int fdatasync(int fd) {
    int kept = synced(fd);
    return kept == -2 ? (int)syscall(SYS_fdatasync, fd) : kept;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    ssize_t done = syscall(SYS_write, fd, bytes, count);
    wrote(fd, -1, done);
    return done;
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    ssize_t done = syscall(SYS_writev, fd, parts, count);
    wrote(fd, -1, done);
    return done;
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    ssize_t done = raw_pwrite(fd, bytes, count, at);
    wrote(fd, at, done);
    return done;
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) { return pwrite(fd, bytes, count, at); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    ssize_t done = syscall(SYS_pwritev, fd, parts, count, at, 0);
    wrote(fd, at, done);
    return done;
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) { return pwritev(fd, parts, count, at); }
int ftruncate(int fd, off_t size) {
    int done = (int)syscall(SYS_ftruncate, fd, size);
    if (!done) shrunk(fd, size);
    return done;
}
int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

/* Programs have another way for when these are missing; it goes through the calls above. */
ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t count, unsigned flags) {
    (void)from, (void)from_at, (void)to, (void)to_at, (void)count, (void)flags;
    errno = ENOSYS;
    return -1;
}

static int opened(int fd, int flags) {
    if (fd >= 0 && flags & O_TRUNC) shrunk(fd, 0);
    return fd;
}
#define MODE(flags) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { \
        va_list more; \
        va_start(more, flags); \
        mode = va_arg(more, mode_t); \
        va_end(more); \
    }
int open(const char *path, int flags, ...) {
    MODE(flags)
    return opened((int)syscall(SYS_openat, AT_FDCWD, path, flags, mode), flags);
}
int open64(const char *path, int flags, ...) {
    MODE(flags)
    return opened((int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode), flags);
}
int openat(int at, const char *path, int flags, ...) {
    MODE(flags)
    return opened((int)syscall(SYS_openat, at, path, flags, mode), flags);
}
int openat64(int at, const char *path, int flags, ...) {
    MODE(flags)
    return opened((int)syscall(SYS_openat, at, path, flags | O_LARGEFILE, mode), flags);
}
