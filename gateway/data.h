/* What lies where in a data folder. A backup has the same layout.
 *   holdline.db    the log              audit.db   the audit log
 *   index.db       made of the log, not backed up
 *   directory.db   sites, agents, keys  keys.db    keys of an older holdline
 *   secrets/       see gateway/secrets.h */
#ifndef HL_GATEWAY_DATA_H
#define HL_GATEWAY_DATA_H

#include "gateway/config.h"

struct hl_data_paths {
    char folder[HL_CONFIG_PATH_SIZE];
    char log[HL_CONFIG_PATH_SIZE + 16];
    char audit[HL_CONFIG_PATH_SIZE + 16];
    char index[HL_CONFIG_PATH_SIZE + 16];
    char directory[HL_CONFIG_PATH_SIZE + 16];
    char keys[HL_CONFIG_PATH_SIZE + 16];
    char secrets[HL_CONFIG_PATH_SIZE + 16];
};

/* 0, -ENAMETOOLONG. */
int hl_data_paths(const char *folder, struct hl_data_paths *out_paths);
/* Makes the folder and its parents (mode 0700). 0, -errno. */
int hl_data_make_folder(const char *folder);
bool hl_data_has_log(const struct hl_data_paths *paths);

#endif
