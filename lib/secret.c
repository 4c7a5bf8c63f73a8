#include "secret.h"
#include "xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool refuse(struct errtext *why, const char *path, const char *what)
{
    errtext_set(why, "%s: %s", path, what);
    return false;
}

static bool check_file(const char *path, int fd, uid_t owner, struct errtext *why)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return refuse(why, path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return refuse(why, path, "no regular file");
    if (st.st_uid != 0 && st.st_uid != owner)
        return refuse(why, path, "belongs to somebody else; root or the daemon's user is right");
    if (st.st_mode & (S_IRWXO | S_IWGRP))
        return refuse(why, path, "too many may read or write it; mode 0640 or 0600 is right");
    return true;
}

/* With room for one octet more, to see that it is too long. */
static bool read_line(const char *path, int fd, char *line, struct errtext *why)
{
    size_t len = 0;
    ssize_t n = 1;
    while (len < SECRET_MAX + 1 && n > 0) {
        n = read(fd, line + len, SECRET_MAX + 1 - len);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            len += (size_t)n;
    }
    if (n < 0)
        return refuse(why, path, strerror(errno));
    line[len] = '\0';
    size_t end = strcspn(line, "\r\n");
    if (end > SECRET_MAX)
        return refuse(why, path, "the first line is too long for a password");
    if (strlen(line) < len && strlen(line) <= end)
        return refuse(why, path, "a NUL byte stands in the password");
    if (end == 0)
        return refuse(why, path, "the first line, which should be the password, is empty");
    explicit_bzero(line + end, SECRET_MAX + 2 - end);
    return true;
}

char *secret_read(const char *path, uid_t owner, struct errtext *why)
{
    /* Not to hang in open() where the path names a FIFO. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        (void)refuse(why, path, errno == ELOOP ? "a symbolic link" : strerror(errno));
        return NULL;
    }
    char *line = xcalloc(1, SECRET_MAX + 2);
    if (check_file(path, fd, owner, why) && read_line(path, fd, line, why)) {
        (void)close(fd);
        return line;
    }
    (void)close(fd);
    explicit_bzero(line, SECRET_MAX + 2);
    free(line);
    return NULL;
}

void secret_free(char *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, strlen(secret));
    free(secret);
}
