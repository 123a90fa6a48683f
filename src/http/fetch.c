#include "http/fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

enum errc fetch_init(struct err *err)
{
    CURLcode rc = curl_global_init(CURL_GLOBAL_DEFAULT);

    return rc ? err_set(err, ERR_INTERNAL, "libcurl cannot start: %s",
                        curl_easy_strerror(rc))
              : ERR_OK;
}

static size_t take_body(char *p, size_t size, size_t n, void *ctx)
{
    struct buf *out = ctx;

    buf_put(out, (struct str){p, size * n});
    return out->failed ? 0 : size * n;
}

static enum errc failure(CURLcode code, const struct buf *out,
                         const char *detail, const struct fetch *f,
                         struct err *err)
{
    if (out->failed)
        return err_set(err, ERR_LIMIT, "the answer of %s is over %zu bytes",
                       f->url, out->max);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return err_set(err, ERR_TIMEOUT, "%s did not answer within %lld ms",
                       f->url, (long long)f->timeout_ms);
    return err_set(err, code == CURLE_URL_MALFORMAT ? ERR_INVALID : ERR_UNAVAIL,
                   "%s: %s", f->url,
                   *detail ? detail : curl_easy_strerror(code));
}

static void note_answer(CURL *curl, struct fetch *f)
{
    const char *type = NULL;
    long status = 0;

    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    f->status = (int)status;
    (void)snprintf(f->content_type, sizeof(f->content_type), "%s",
                   type ? type : "");
}

static struct curl_slist *make_headers(const struct fetch *f)
{
    char line[600];
    struct curl_slist *headers = NULL;

    if (f->accept) {
        (void)snprintf(line, sizeof(line), "Accept: %s", f->accept);
        headers = curl_slist_append(headers, line);
    }
    if (f->body.p) {
        (void)snprintf(line, sizeof(line), "Content-Type: %s", f->body_type);
        headers = curl_slist_append(headers, line);
        headers = curl_slist_append(headers, "Expect:"); /* at once */
    }
    return headers;
}

enum errc fetch_run(struct fetch *f, struct buf *out, struct err *err)
{
    char detail[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = make_headers(f);
    CURL *curl = curl_easy_init();

    if (!curl) {
        curl_slist_free_all(headers);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    if (f->body.p) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                               (curl_off_t)f->body.n);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, f->body.p);
    }
    (void)curl_easy_setopt(curl, CURLOPT_URL, f->url);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip");
    (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "stoker/" STOKER_VERSION);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)f->timeout_ms);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    CURLcode code = curl_easy_perform(curl);
    enum errc rc = code ? failure(code, out, detail, f, err) : ERR_OK;
    if (!rc)
        note_answer(curl, f);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return rc;
}
