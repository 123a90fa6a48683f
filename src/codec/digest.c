#include "codec/digest.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>

#include "base/symtab.h"

struct crypto {
    unsigned char *(*sha256)(const unsigned char *d, size_t n,
                             unsigned char *md);
};

static const struct symbol symbols[] = {
    {"SHA256", NULL, offsetof(struct crypto, sha256), false},
};

enum errc digest_sha256(struct str bytes, char out[DIGEST_TEXT],
                        struct err *err)
{
    unsigned char md[32];
    struct crypto crypto;
    void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);

    if (!library)
        library = dlopen("libcrypto.so.1.1", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return err_set(err, ERR_UNAVAIL,
                       "OpenSSL (libcrypto) is not installed");
    enum errc rc = symtab_load(library, symbols, COUNT(symbols), &crypto,
                               sizeof(crypto), err);
    if (rc)
        return rc;
    crypto.sha256((const unsigned char *)bytes.p, bytes.n, md);
    for (size_t i = 0; i < sizeof(md); i++)
        (void)snprintf(out + 2 * i, 3, "%02x", md[i]);
    return ERR_OK;
}
