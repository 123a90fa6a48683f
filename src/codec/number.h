/* number.h - numbers of JSON to and from machine numbers, exactly.
 *
 * Reading is correctly rounded: the result is the number nearest to the text,
 * ties to even, as strtof and strtod would say. Printing is the shortest text
 * that reads back as the same number.
 *
 * Reading looks at up to NUMBER_PAD bytes behind the number, eight at a time:
 * every text given here must be followed by that many readable bytes. Request
 * bodies are allocated that way.
 */
#ifndef CODEC_NUMBER_H
#define CODEC_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NUMBER_PAD = 16,
    NUMBER_TEXT_MAX = 32, /* no number prints longer */
};

enum number_result {
    NUMBER_OK,
    NUMBER_SYNTAX, /* not a JSON number */
    NUMBER_RANGE,  /* larger than the type can hold */
    NUMBER_NOT_INTEGER,
};

/* Each reads a number at *p and moves *p behind it; on failure *p stays. NaN,
 * Infinity and -Infinity are read by the float readers only. */
enum number_result number_read_f32(const char **p, const char *end, float *out);
enum number_result number_read_f64(const char **p, const char *end,
                                   double *out);
enum number_result number_read_i64(const char **p, const char *end,
                                   int64_t *out);
enum number_result number_read_u64(const char **p, const char *end,
                                   uint64_t *out);

/* Reads "a, b, c" into out[0..max) for as long as numbers follow each other;
 * returns how many, with *p behind the last. The hot loop of large JSON
 * tensors. */
size_t number_read_f32_run(const char **p, const char *end, float *out,
                           size_t max);

/* Write at most NUMBER_TEXT_MAX bytes, no NUL, and return their number. Whole
 * numbers keep their ".0", so that a float stays one; NaN, Infinity and
 * -Infinity are spelled as Python's json does. */
size_t number_write_f32(char *out, float v);
size_t number_write_f64(char *out, double v);
size_t number_write_i64(char *out, int64_t v);
size_t number_write_u64(char *out, uint64_t v);

#endif
