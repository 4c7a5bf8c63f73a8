/*
 * files - a private folder for targets whose API takes a path
 *
 * Use: files_write() puts a text into a file; files_path() is its name as the library shall see it.
 *   The folder's descriptor is always FILES_FD, so that an input can name its files too:
 *   "/proc/self/fd/100/NAME".
 * Memory: the folder lies in $TMPDIR, or /tmp; it is removed when the process ends by exit().
 * Failure: ends the process.
 * Depends on: fuzz.
 */
#ifndef FUZZ_FILES_H
#define FUZZ_FILES_H

#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_FD   100
#define FILES_ROOT "/proc/self/fd/100/"

enum { FILES_NAMES_MAX = 16 };

static char files_folder[256];
static const char *files_names[FILES_NAMES_MAX];

static inline void files_remove(void)
{
    for (int i = 0; i < FILES_NAMES_MAX && files_names[i]; i++)
        (void)unlinkat(FILES_FD, files_names[i], 0);
    (void)rmdir(files_folder);
}

static inline void files_open(void)
{
    if (*files_folder)
        return;
    const char *where = getenv("TMPDIR");
    (void)snprintf(files_folder, sizeof files_folder, "%s/fuzz.XXXXXX", where ? where : "/tmp");
    FUZZ_CLAIM(mkdtemp(files_folder) != NULL);
    int fd = open(files_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FUZZ_CLAIM(fd >= 0 && dup3(fd, FILES_FD, O_CLOEXEC) == FILES_FD);
    (void)close(fd);
    (void)atexit(files_remove);
}

static inline void files_note(const char *name)
{
    int i = 0;
    while (i < FILES_NAMES_MAX && files_names[i] && strcmp(files_names[i], name) != 0)
        i++;
    FUZZ_CLAIM(i < FILES_NAMES_MAX);
    files_names[i] = name;
}

/* name must be a literal. */
static inline void files_write(const char *name, struct span text)
{
    files_open();
    files_note(name);
    int fd = openat(FILES_FD, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_CLAIM(fd >= 0);
    FUZZ_CLAIM(!text.len || write(fd, text.data, text.len) == (ssize_t)text.len);
    FUZZ_CLAIM(close(fd) == 0);
}

#endif
