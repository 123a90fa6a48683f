/* stoker.yaml: any bytes are settings, or mistakes with their places. */
#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "cli/config/show.h"

static void on_mistake(void *ctx, const char *file, const char *message)
{
    (void)ctx;
    MUST(file[0] && message[0]);
}

static void on_difference(void *ctx, const struct setting *was,
                          const struct setting *is)
{
    (void)ctx;
    (void)was;
    (void)is;
    MUST(false); /* nothing differs from itself */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/stoker-settings-XXXXXX";
    struct settings s;
    struct setting_list list;
    struct arena a;
    struct buf out;
    int fd = mkstemp(path);

    MUST(fd >= 0 && fs_write_all(fd, data, size));
    (void)close(fd);
    if (settings_read(path, LANGUAGE_EN, on_mistake, NULL, &s, NULL) ==
        ERR_OK) {
        arena_init(&a, 64 << 20);
        buf_init(&out, 16 << 20);
        if (!settings_list(&s, LIST_ALL, &a, &list, NULL)) {
            settings_put_yaml(&list, &out);
            settings_put_json(&list, &out);
            MUST(settings_differ(&list, &list, on_difference, NULL) == 0);
        }
        buf_fini(&out);
        arena_fini(&a);
        settings_fini(&s);
    }
    (void)unlink(path);
    return 0;
}
