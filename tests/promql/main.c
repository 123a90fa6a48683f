/* promqltest [--prometheus-2] [--verbose] FILE...: runs scripts in the test
 * language of Prometheus (script.h). */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "promql/script.h"

static const char usage[] =
    "usage: promqltest [--prometheus-2] [--verbose] FILE...\n"
    "Runs scripts in Prometheus' test language. --prometheus-2: with ranges\n"
    "closed on the left. --verbose: says why cases were skipped.\n";

static bool run_file(const char *path, const struct script_how *how,
                     struct script_counts *total)
{
    struct script_counts counts = {0};
    struct buf text;
    struct err err;

    buf_init(&text, 64u << 20);
    if (fs_read(path, &text, &err)) {
        fprintf(stderr, "promqltest: %s\n", err.msg);
        buf_fini(&text);
        return false;
    }
    script_run(path, buf_str(&text), how, &counts);
    printf("%s: %u passed, %u failed, %u skipped\n", path, counts.passed,
           counts.failed, counts.skipped);
    total->passed += counts.passed;
    total->failed += counts.failed;
    total->skipped += counts.skipped;
    buf_fini(&text);
    return true;
}

int main(int argc, char **argv)
{
    struct script_how how = {.out = stdout};
    struct script_counts total = {0};
    bool ok = true;
    int files = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--prometheus-2") == 0)
            how.prometheus2 = true;
        else if (strcmp(argv[i], "--verbose") == 0)
            how.verbose = true;
        else if (argv[i][0] == '-' || !++files)
            return fputs(usage,
                         argv[i][1] == 'h' || strcmp(argv[i], "--help") == 0
                             ? stdout
                             : stderr),
                   2;
    }
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-')
            ok = run_file(argv[i], &how, &total) && ok;
    if (files == 0) {
        fputs(usage, stderr);
        return 2;
    }
    printf("%u passed, %u failed, %u skipped\n", total.passed, total.failed,
           total.skipped);
    return ok && total.failed == 0 ? 0 : 1;
}
