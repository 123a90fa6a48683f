#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "codec/digest.h"
#include "setup/host.h"
#include "setup/step.h"

#define HOME "/usr/lib/stoker"

/* The sum of a file of any size; it is mapped, not read into memory. */
static enum errc sum_of(const char *path, char out[DIGEST_TEXT],
                        struct err *err)
{
    struct stat st;

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fs_error(err, "cannot read", path);
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size == 0) {
        (void)close(fd);
        return err_set(err, ERR_INVALID, "'%s' is no file with something in it",
                       path);
    }
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (p == MAP_FAILED)
        return fs_error(err, "cannot read", path);
    enum errc rc = digest_sha256((struct str){p, (size_t)st.st_size}, out, err);
    (void)munmap(p, (size_t)st.st_size);
    return rc;
}

/* The file lies in the bundle, or is reached where it is. */
static const char *as_seen(struct plan *p, const char *path)
{
    struct str name = str_behind_last(str_from_cstr(path), '/');

    return p->options->bundle ? made(p, HOST_BUNDLE "/" STR_FMT, STR_ARG(name))
                              : path;
}

/* The library in a directory of its own, by its sum, and a link to it: another
 * version is another directory, and an undo turns the link back. */
static void library(struct plan *p, const char *path, const char *sum)
{
    const char *directory = made(p, HOME "/onnxruntime-%.12s", sum);
    const char *file = made(p, "%s/libonnxruntime.so.1", directory);
    const char *title = titled(p, SETUP_TEXT_ORT_LIBRARY);
    struct str s = str_from_cstr(path);

    put_directory(p, titled(p, SETUP_TEXT_DIRECTORY, directory), directory,
                  0755);
    run(p, title, file,
        str_ends(s, STR(".tgz")) || str_ends(s, STR(".tar.gz"))
            ? made(p,
                   "tar -xzf %s -C %s --strip-components=2 --no-same-owner "
                   "--wildcards */lib/libonnxruntime*",
                   as_seen(p, path), directory)
            : made(p, "install -m 0755 %s %s", as_seen(p, path), file),
        made(p, "find %s -mindepth 1 -delete", directory));
    put_link(p, title, HOME "/libonnxruntime.so.1", file);
    refresh(p, titled(p, SETUP_TEXT_CUDA_LDCONFIG), "ldconfig", "");
}

void target_onnxruntime(struct plan *p)
{
    const struct setup_options *o = p->options;
    struct err err = {.code = ERR_OK};
    struct os os = plan_os(p);
    char sum[DIGEST_TEXT];
    const char *path = o->ort;

    if (!path) { /* Debian has it from 13 on */
        if (str_eq(os.id, STR("debian")) &&
            version_compare(os.version, STR("13")) >= 0)
            install(p, titled(p, SETUP_TEXT_ORT_LIBRARY), "libonnxruntime1.21");
        else
            lack(p, titled(p, SETUP_TEXT_ORT_WHICH));
        return;
    }
    if (o->bundle && path[0] != '/')
        path = made(p, "%s/%s", o->bundle, path);
    if (!o->ort_sha256)
        refuse(p, titled(p, SETUP_TEXT_NEEDS, "ort-sha256"));
    else if (host_is_tree(p->host) && !o->bundle)
        refuse(p, titled(p, SETUP_TEXT_NEEDS, "bundle"));
    else if (strpbrk(path, " \t\n"))
        refuse(p, titled(p, SETUP_TEXT_ORT_BLANKS, path));
    else if (sum_of(path, sum, &err))
        refuse(p, made(p, "%s", err.msg));
    else if (!str_eq_nocase(str_from_cstr(sum), str_from_cstr(o->ort_sha256)))
        refuse(p, titled(p, SETUP_TEXT_ORT_SUM, path, sum, o->ort_sha256));
    else
        library(p, path, sum);
}
