#include "codec/digest.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/symtab.h"

struct crypto {
    unsigned char *(*sha256)(const unsigned char *d, size_t n,
                             unsigned char *md);
    unsigned char *(*md5)(const unsigned char *d, size_t n, unsigned char *md);
    const void *(*sha256_kind)(void);
    unsigned char *(*hmac)(const void *kind, const void *key, int n_key,
                           const unsigned char *d, size_t n, unsigned char *md,
                           unsigned *n_md);
    void *(*context_new)(void);
    void (*context_free)(void *ctx);
    int (*start)(void *ctx, const void *kind, void *engine);
    int (*update)(void *ctx, const void *d, size_t n);
    int (*end)(void *ctx, unsigned char *md, unsigned *n_md);
};

static const struct symbol symbols[] = {
    {"SHA256", NULL, offsetof(struct crypto, sha256), false},
    {"MD5", NULL, offsetof(struct crypto, md5), false},
    {"EVP_sha256", NULL, offsetof(struct crypto, sha256_kind), false},
    {"HMAC", NULL, offsetof(struct crypto, hmac), false},
    {"EVP_MD_CTX_new", NULL, offsetof(struct crypto, context_new), false},
    {"EVP_MD_CTX_free", NULL, offsetof(struct crypto, context_free), false},
    {"EVP_DigestInit_ex", NULL, offsetof(struct crypto, start), false},
    {"EVP_DigestUpdate", NULL, offsetof(struct crypto, update), false},
    {"EVP_DigestFinal_ex", NULL, offsetof(struct crypto, end), false},
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

enum { SHA256_BYTES = 32 };

static void put_hex(const unsigned char md[SHA256_BYTES], char out[DIGEST_TEXT])
{
    for (size_t i = 0; i < SHA256_BYTES; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", md[i]);
}

enum errc digest_sha256(struct str bytes, char out[DIGEST_TEXT],
                        struct err *err)
{
    unsigned char md[SHA256_BYTES];
    struct crypto crypto;
    enum errc rc = load(&crypto, err);

    if (rc)
        return rc;
    crypto.sha256((const unsigned char *)bytes.p, bytes.n, md);
    put_hex(md, out);
    return ERR_OK;
}

struct digest {
    struct crypto crypto;
    void *context;
    bool good;
};

static void start(struct digest *d)
{
    d->good = d->crypto.start(d->context, d->crypto.sha256_kind(), NULL) == 1;
}

enum errc digest_new(struct digest **out, struct err *err)
{
    struct digest *d = calloc(1, sizeof(*d));
    enum errc rc = ERR_OK;

    if (!d)
        return err_set(err, ERR_NOMEM, "out of memory");
    rc = load(&d->crypto, err);
    if (!rc && !(d->context = d->crypto.context_new()))
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (rc) {
        free(d);
        return rc;
    }
    start(d);
    *out = d;
    return ERR_OK;
}

void digest_free(struct digest *d)
{
    if (d)
        d->crypto.context_free(d->context);
    free(d);
}

void digest_add(struct digest *d, struct str bytes)
{
    d->good = d->good && d->crypto.update(d->context, bytes.p, bytes.n) == 1;
}

bool digest_add_file(struct digest *d, int fd)
{
    enum { PIECE = 1 << 16 };
    char piece[PIECE];
    ssize_t n;

    while ((n = read(fd, piece, sizeof(piece))) > 0 ||
           (n < 0 && errno == EINTR))
        if (n > 0)
            digest_add(d, (struct str){piece, (size_t)n});
    return n == 0;
}

bool digest_end(struct digest *d, char out[DIGEST_TEXT])
{
    unsigned char md[SHA256_BYTES];
    unsigned n = 0;
    bool good = d->good && d->crypto.end(d->context, md, &n) == 1;

    if (good)
        put_hex(md, out);
    start(d);
    return good && n == sizeof(md);
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
