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
    for (const char *const *h = f->headers; h && *h; h++)
        headers = curl_slist_append(headers, *h);
    if (f->auth && f->auth->authorization) {
        (void)snprintf(line, sizeof(line), "Authorization: %.570s",
                       f->auth->authorization);
        headers = curl_slist_append(headers, line);
    }
    return headers;
}

/* Options with a text that may be missing. */
static void set_auth(CURL *curl, const struct fetch_auth *a)
{
    if (!a)
        return;
    const struct {
        CURLoption option;
        const char *value;
    } texts[] = {
        {CURLOPT_USERNAME, a->username}, {CURLOPT_PASSWORD, a->password},
        {CURLOPT_CAINFO, a->ca_file},    {CURLOPT_SSLCERT, a->cert_file},
        {CURLOPT_SSLKEY, a->key_file},   {CURLOPT_PROXY, a->proxy}};
    for (size_t i = 0; i < COUNT(texts); i++)
        if (texts[i].value)
            (void)curl_easy_setopt(curl, texts[i].option, texts[i].value);
    if (a->insecure) {
        (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
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
    set_auth(curl, f->auth);
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

/* ---- mail --------------------------------------------------------------- */

static bool add_part(curl_mime *mime, struct str text, const char *type)
{
    curl_mimepart *part = text.n ? curl_mime_addpart(mime) : NULL;

    if (!text.n)
        return true;
    return part && curl_mime_data(part, text.p, text.n) == CURLE_OK &&
           curl_mime_type(part, type) == CURLE_OK &&
           curl_mime_encoder(part, "base64") == CURLE_OK;
}

/* Both texts are ways to say the same. */
static bool set_body(CURL *curl, curl_mime *mime, const struct mail *m)
{
    curl_mime *both = curl_mime_init(curl);
    curl_mimepart *part = curl_mime_addpart(mime);

    if (!both || !part ||
        !add_part(both, m->text, "text/plain; charset=utf-8") ||
        !add_part(both, m->html, "text/html; charset=utf-8") ||
        curl_mime_subparts(part, both) != CURLE_OK) {
        curl_mime_free(both);
        return false;
    }
    struct curl_slist *inline_ = NULL;
    (void)curl_mime_type(part, "multipart/alternative");
    (void)curl_mime_headers(part, inline_, 1);
    return curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime) == CURLE_OK;
}

static struct curl_slist *list_of(const char *const *v, size_t n)
{
    struct curl_slist *list = NULL;

    for (size_t i = 0; i < n; i++)
        list = curl_slist_append(list, v[i]);
    return list;
}

static size_t take_nothing(char *p, size_t size, size_t n, void *ctx)
{
    (void)p;
    (void)ctx;
    return size * n;
}

enum errc mail_send(struct mail *m, struct err *err)
{
    char detail[CURL_ERROR_SIZE] = "";
    struct curl_slist *to = list_of(m->to, m->n_to);
    struct curl_slist *headers = list_of(m->headers, m->n_headers);
    CURL *curl = curl_easy_init();
    curl_mime *mime = curl ? curl_mime_init(curl) : NULL;
    long status = 0;
    enum errc rc = ERR_OK;

    if (!mime || !to || !set_body(curl, mime, m)) {
        rc = err_set(err, ERR_NOMEM, "out of memory");
    } else {
        set_auth(curl, m->auth);
        (void)curl_easy_setopt(curl, CURLOPT_SASL_AUTHZID, m->identity);
        (void)curl_easy_setopt(curl, CURLOPT_LOGIN_OPTIONS,
                               m->cram_md5 ? "AUTH=CRAM-MD5" : NULL);
        (void)curl_easy_setopt(curl, CURLOPT_URL, m->url);
        (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        (void)curl_easy_setopt(curl, CURLOPT_MAIL_FROM, m->from);
        (void)curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
        (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        (void)curl_easy_setopt(
            curl, CURLOPT_USE_SSL,
            (long)(m->require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
        (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)m->timeout_ms);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_nothing);
        (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
        CURLcode code = curl_easy_perform(curl);
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        if (code)
            rc = err_set(err, ERR_UNAVAIL, "%s: %s", m->url,
                         *detail ? detail : curl_easy_strerror(code));
    }
    m->status = (int)status;
    curl_mime_free(mime);
    curl_slist_free_all(to);
    curl_slist_free_all(headers);
    if (curl)
        curl_easy_cleanup(curl);
    return rc;
}
