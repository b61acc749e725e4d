#include <stdarg.h>
#include <stdio.h>

#include "gateway/command/command.h"

int hl_command_print(const struct hl_buffer *text)
{
    if (hl_buffer_failed(text))
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "out of memory");
    if (fwrite(text->data, 1, text->size, stdout) != text->size || fflush(stdout) != 0)
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "cannot write to standard output");
    return HL_EXIT_OK;
}

int hl_command_fail(int code, const char *format, ...)
{
    va_list arguments;
    fputs("holdline: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return code;
}
