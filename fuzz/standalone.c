/*
 * standalone - plays files through a target, without libFuzzer
 *
 * Use: fuzz/TARGET FILE...; each is named on standard output before it is played, and the last line
 *   is "played N". Linked instead of libFuzzer, by any compiler.
 * Failure: a file that cannot be read ends it with 2; a claim that does not hold, or a sanitizer,
 *   with the file's name as the last line.
 * Depends on: fuzz.
 */
#include "fuzz.h"

static uint8_t *read_all(FILE *stream, size_t *size_out)
{
    size_t size = 0, room = 4096;
    uint8_t *data = malloc(room);
    for (size_t n; data && (n = fread(data + size, 1, room - size, stream)) > 0;) {
        size += n;
        if (size == room) {
            uint8_t *more = realloc(data, room *= 2);
            if (!more)
                free(data);
            data = more;
        }
    }
    *size_out = size;
    return data;
}

/* The target gets memory of exactly the input's size, as libFuzzer gives it. */
static void play(const uint8_t *data, size_t size)
{
    struct exact exact = exact_copy(span_make((const char *)data, size));
    (void)LLVMFuzzerTestOneInput((const uint8_t *)exact.text.data, exact.text.len);
    exact_free(&exact);
}

static bool play_file(const char *path)
{
    size_t size = 0;
    FILE *stream = fopen(path, "re");
    uint8_t *data = stream ? read_all(stream, &size) : NULL;
    bool read = data && !ferror(stream);
    if (stream)
        (void)fclose(stream);
    if (read) {
        printf("%s\n", path);
        (void)fflush(stdout);
        play(data, size);
    } else {
        perror(path);
    }
    free(data);
    return read;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!play_file(argv[i]))
            return 2;
    printf("played %d\n", argc - 1);
    return 0;
}
