#include "gateway/data.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/result.h"

int hl_data_paths(const char *folder, struct hl_data_paths *out_paths)
{
    size_t size = strlen(folder);
    if (size == 0 || size >= sizeof(out_paths->folder))
        return -ENAMETOOLONG;
    memcpy(out_paths->folder, folder, size + 1);
    snprintf(out_paths->log, sizeof(out_paths->log), "%s/holdline.db", folder);
    snprintf(out_paths->audit, sizeof(out_paths->audit), "%s/audit.db", folder);
    snprintf(out_paths->index, sizeof(out_paths->index), "%s/index.db", folder);
    snprintf(out_paths->directory, sizeof(out_paths->directory), "%s/directory.db", folder);
    snprintf(out_paths->keys, sizeof(out_paths->keys), "%s/keys.db", folder);
    snprintf(out_paths->secrets, sizeof(out_paths->secrets), "%s/secrets", folder);
    return 0;
}

int hl_data_make_folder(const char *folder)
{
    char path[HL_CONFIG_PATH_SIZE];
    size_t size = strlen(folder);
    if (size == 0 || size >= sizeof(path))
        return -ENAMETOOLONG;
    memcpy(path, folder, size + 1);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    return mkdir(path, S_IRWXU) == 0 || errno == EEXIST ? 0 : -errno;
}

bool hl_data_has_log(const struct hl_data_paths *paths)
{
    return access(paths->log, F_OK) == 0;
}
