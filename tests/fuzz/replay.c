/* Runs a fuzz target once over each file of a folder: the seeds as an ordinary test. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_SIZE_MAX = 1 << 20, PATH_SIZE_MAX = 4096 };

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    HL_CHECK(file != NULL);
    uint8_t *input = malloc(INPUT_SIZE_MAX);
    HL_CHECK(input != NULL);
    size_t size = fread(input, 1, INPUT_SIZE_MAX, file);
    (void)fclose(file);
    /* memory of exactly this size, so that the sanitizer sees a read beyond it */
    uint8_t *exact = malloc(size > 0 ? size : 1);
    HL_CHECK(exact != NULL);
    memcpy(exact, input, size);
    free(input);
    HL_CHECK(LLVMFuzzerTestOneInput(exact, size) == 0);
    free(exact);
}

int main(int argc, char **argv)
{
    HL_CHECK(argc == 2);
    DIR *folder = opendir(argv[1]);
    HL_CHECK(folder != NULL);
    unsigned n_files = 0;
    for (struct dirent *item = readdir(folder); item != NULL; item = readdir(folder)) {
        char path[PATH_SIZE_MAX];
        if (item->d_name[0] == '.')
            continue;
        int size = snprintf(path, sizeof path, "%s/%s", argv[1], item->d_name);
        HL_CHECK(size > 0 && (size_t)size < sizeof path);
        replay_file(path);
        n_files++;
    }
    (void)closedir(folder);
    HL_CHECK(n_files > 0);
    return 0;
}
