#include "agent-api/permission.h"

#include <string.h>

#include "base/check.h"

static const struct {
    const char *name;
    const char *roles;
} permissions[HL_PERMISSION_END] = {
#define HL_PERMISSION(name, text, roles) [HL_PERMISSION_##name] = {text, roles},
    HL_PERMISSION_TABLE
#undef HL_PERMISSION
};

const char *hl_permission_name(enum hl_permission permission)
{
    HL_CHECK(permission < HL_PERMISSION_END);
    return permissions[permission].name;
}

bool hl_permission_has(enum hl_key_role role, enum hl_permission permission)
{
    const char *name = hl_key_role_name(role);
    size_t size = strlen(name);
    HL_CHECK(permission < HL_PERMISSION_END);
    for (const char *at = permissions[permission].roles; *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (word == size && memcmp(at, name, size) == 0)
            return true;
        at += word;
        at += strspn(at, " ");
    }
    return false;
}
