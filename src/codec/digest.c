#include "codec/digest.h"

#include <dlfcn.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>

#include "base/symtab.h"

struct crypto {
    unsigned char *(*sha256)(const unsigned char *d, size_t n,
                             unsigned char *md);
    unsigned char *(*md5)(const unsigned char *d, size_t n, unsigned char *md);
    const void *(*sha256_kind)(void);
    unsigned char *(*hmac)(const void *kind, const void *key, int n_key,
                           const unsigned char *d, size_t n, unsigned char *md,
                           unsigned *n_md);
};

static const struct symbol symbols[] = {
    {"SHA256", NULL, offsetof(struct crypto, sha256), false},
    {"MD5", NULL, offsetof(struct crypto, md5), false},
    {"EVP_sha256", NULL, offsetof(struct crypto, sha256_kind), false},
    {"HMAC", NULL, offsetof(struct crypto, hmac), false},
};

static enum errc load(struct crypto *crypto, struct err *err)
{
    void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);

    if (!library)
        library = dlopen("libcrypto.so.1.1", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return err_set(err, ERR_UNAVAIL,
                       "OpenSSL (libcrypto) is not installed");
    return symtab_load(library, symbols, COUNT(symbols), crypto,
                       sizeof(*crypto), err);
}

enum errc digest_sha256(struct str bytes, char out[DIGEST_TEXT],
                        struct err *err)
{
    unsigned char md[32];
    struct crypto crypto;
    enum errc rc = load(&crypto, err);

    if (rc)
        return rc;
    crypto.sha256((const unsigned char *)bytes.p, bytes.n, md);
    for (size_t i = 0; i < sizeof(md); i++)
        (void)snprintf(out + 2 * i, 3, "%02x", md[i]);
    return ERR_OK;
}

enum errc digest_hmac(struct str key, struct str message,
                      unsigned char out[HMAC_BYTES], struct err *err)
{
    struct crypto crypto;
    unsigned n = HMAC_BYTES;
    enum errc rc = load(&crypto, err);

    if (!rc &&
        (key.n > INT_MAX ||
         !crypto.hmac(crypto.sha256_kind(), key.p, (int)key.n,
                      (const unsigned char *)message.p, message.n, out, &n)))
        rc = err_set(err, ERR_INTERNAL, "HMAC failed");
    return rc;
}

enum errc digest_md5(struct str bytes, unsigned char out[MD5_BYTES],
                     struct err *err)
{
    struct crypto crypto;
    enum errc rc = load(&crypto, err);

    if (!rc)
        crypto.md5((const unsigned char *)bytes.p, bytes.n, out);
    return rc;
}
