/* digest.h - SHA-256, alone and with a key, by OpenSSL, which is loaded when it
 * is first asked for. */
#ifndef CODEC_DIGEST_H
#define CODEC_DIGEST_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

enum { DIGEST_TEXT = 65 };

/* 64 hex digits and a NUL. ERR_UNAVAIL: there is no libcrypto. */
MUST_CHECK enum errc digest_sha256(struct str bytes, char out[DIGEST_TEXT],
                                   struct err *err);

/* A SHA-256 that is fed piece by piece. One thread at a time. */
struct digest;

MUST_CHECK enum errc digest_new(struct digest **out, struct err *err);
void digest_free(struct digest *d); /* NULL is fine */
void digest_add(struct digest *d, struct str bytes);

/* Adds what an open file has from where it stands. False: it cannot be read. */
MUST_CHECK bool digest_add_file(struct digest *d, int fd);

/* Of all that was added; the next digest_add() begins another one. False: the
 * library failed. */
MUST_CHECK bool digest_end(struct digest *d, char out[DIGEST_TEXT]);

enum { MD5_BYTES = 16 };

/* Not against enemies: Prometheus spreads targets by it (hashmod). */
MUST_CHECK enum errc digest_md5(struct str bytes, unsigned char out[MD5_BYTES],
                                struct err *err);

enum { HMAC_BYTES = 32 };

/* HMAC-SHA256 (RFC 2104). */
MUST_CHECK enum errc digest_hmac(struct str key, struct str message,
                                 unsigned char out[HMAC_BYTES],
                                 struct err *err);

#endif
