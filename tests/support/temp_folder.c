#include "tests/support/temp_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"

void hl_temp_folder_init(struct hl_temp_folder *folder)
{
    const char *base = getenv("TMPDIR");

    (void)snprintf(folder->path, sizeof(folder->path), "%s/holdline-test-XXXXXX",
                   base != NULL ? base : "/tmp");
    HL_CHECK(mkdtemp(folder->path) != NULL);
}

void hl_temp_folder_fini(struct hl_temp_folder *folder)
{
    DIR *directory = opendir(folder->path);

    HL_CHECK(directory != NULL);
    for (struct dirent *item; (item = readdir(directory)) != NULL;) {
        if (item->d_name[0] != '.')
            (void)unlinkat(dirfd(directory), item->d_name, 0);
    }
    (void)closedir(directory);
    HL_CHECK(rmdir(folder->path) == 0);
}
