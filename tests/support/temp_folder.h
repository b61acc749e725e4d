/* A folder of its own for each test, gone with it. */
#ifndef HL_TESTS_SUPPORT_TEMP_FOLDER_H
#define HL_TESTS_SUPPORT_TEMP_FOLDER_H

struct hl_temp_folder {
    char path[128];
};

void hl_temp_folder_init(struct hl_temp_folder *folder);
void hl_temp_folder_fini(struct hl_temp_folder *folder); /* with the files in it */

#endif
