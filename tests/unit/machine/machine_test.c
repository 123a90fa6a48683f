#include "unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine/facts.h"
#include "machine/machine.h"
#include "machine/os.h"

static char folder[64];

static void put(const char *path, const char *text)
{
    char full[512];

    snprintf(full, sizeof(full), "%s%s", folder, path);
    for (char *p = full + strlen(folder) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        (void)mkdir(full, 0755);
        *p = '/';
    }
    FILE *f = fopen(full, "w");
    if (!f)
        abort();
    fputs(text, f);
    fclose(f);
}

static void link_to(const char *path, const char *to)
{
    char full[512];

    snprintf(full, sizeof(full), "%s%s", folder, path);
    if (symlink(to, full))
        abort();
}

static void make_folder(void)
{
    strcpy(folder, "/tmp/stoker-machine-XXXXXX");
    if (!mkdtemp(folder))
        abort();
}

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    if (system(command))
        abort();
}

TEST(no_link_leads_out_of_a_captured_machine)
{
    static const struct {
        const char *name, *link, *to, *ask, *text; /* text NULL: nothing */
    } rows[] = {
        {"an absolute link", "/a/l", "/b/file", "/a/l", "inside"},
        {"a relative link", "/a/l2", "../b/file", "/a/l2", "inside"},
        {"a link over the top", "/a/l3", "../../../../b/file", "/a/l3",
         "inside"},
        {"a link to what only the host has", "/a/l4", "/etc/passwd", "/a/l4",
         NULL},
        {"a directory that is a link", "/d", "/b", "/d/file", "inside"},
        {"a directory that leads up", "/e", "/../..", "/e/b/file", "inside"},
        {"a link to itself", "/a/l5", "l5", "/a/l5", NULL},
        {"dots", NULL, NULL, "/a/./../b/./file", "inside"},
    };
    struct machine m;

    make_folder();
    put("/a/x", "x");
    put("/b/file", "inside");
    CHECK(machine_open(folder, &m, NULL) == ERR_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str text = {NULL, 0};
        ROW("%s", rows[i].name);
        if (rows[i].link)
            link_to(rows[i].link, rows[i].to);
        enum found found = machine_read(&m, rows[i].ask, &text);
        CHECK((found == FOUND) == (rows[i].text != NULL));
        if (found == FOUND && rows[i].text)
            CHECK_STR(text, rows[i].text);
    }
    machine_close(&m);
    remove_folder();
}

TEST(a_captured_machine_answers_from_files)
{
    struct names names = {.n = 0};
    struct str text = {NULL, 0};
    struct machine m;
    struct os os;

    make_folder();
    put("/.stoker/facts/statfs+%2Fdata", "bytes 100\navailable 7\n");
    put("/etc/os-release", "ID=ubuntu\nVERSION_ID=\"22.04\"\nID_LIKE=debian\n");
    CHECK(machine_open(folder, &m, NULL) == ERR_OK);
    CHECK(machine_fact(&m, "statfs /data", &text) == FOUND);
    CHECK(fact_number(text, "available", -1) == 7);
    CHECK(fact_number(text, "avail", -1) == -1);
    CHECK(machine_fact(&m, "uname", &text) == ABSENT);
    machine_know(&m, "uname", FOUND, STR("release 1\n"));
    CHECK(machine_fact(&m, "uname", &text) == FOUND);
    CHECK(os_read(&m, &os) == FOUND && os_has_apt(&os) && !os_has_dnf(&os));
    CHECK_STR(os.version, "22.04");
    CHECK(machine_list(&m, "/etc", &names) == FOUND && names.n == 1);
    CHECK(machine_read(&m, "/etc", &text) == BROKEN);
    CHECK(machine_kind(&m, "/etc") == S_IFDIR);
    CHECK(machine_kind(&m, "/nothing") == 0);
    machine_close(&m);
    remove_folder();
}

TEST(versions_are_ordered_as_debian_has_it)
{
    static const struct {
        const char *a, *b;
        int order;
    } rows[] = {
        {"1.0", "1.0", 0},
        {"1.0", "1.1", -1},
        {"1.10", "1.9", 1},
        {"1.0~rc1", "1.0", -1},
        {"1:1.0", "2.0", 1},
        {"1.0-1", "1.0-2", -1},
        {"1.0a", "1.0", 1},
        {"1.0+b", "1.0a", 1},
        {"535.129.03", "535.54.3", 1},
        {"", "", 0},
        {"1.0-", "1.0", 0},
        {"007", "7", 0},
        {"1.0~~", "1.0~", -1},
        {"550.90.07-1", "550.107.02-1", -1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        int got =
            version_compare(str_from_cstr(rows[i].a), str_from_cstr(rows[i].b));
        ROW("%s", rows[i].a);
        CHECK((got > 0) - (got < 0) == rows[i].order);
    }
}

struct counting {
    unsigned n, held;
    struct str last;
};

static void count(void *ctx, const struct package *p)
{
    struct counting *c = ctx;

    c->n++;
    c->held += p->held;
    c->last = p->version;
}

TEST(packages_of_dpkg)
{
    struct counting c = {0};
    struct machine m;

    make_folder();
    put("/var/lib/dpkg/status",
        "Package: a\nStatus: install ok installed\nVersion: "
        "1.2-3\nDescription: x\n more\n\n"
        "Package: b\nStatus: deinstall ok config-files\nVersion: 2\n\n"
        "Package: c\nStatus: hold ok installed\nVersion: 3\n");
    CHECK(machine_open(folder, &m, NULL) == ERR_OK);
    CHECK(packages_each(&m, count, &c) == FOUND);
    CHECK(c.n == 2 && c.held == 1);
    CHECK_STR(c.last, "3");
    machine_close(&m);
    remove_folder();
}

TEST(this_machine_answers)
{
    static const char *const names[] = {"uname", "statfs /", "clock", "user",
                                        "environment"};
    struct machine m;

    CHECK(machine_open(NULL, &m, NULL) == ERR_OK);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct str text = {NULL, 0};
        ROW("%s", names[i]);
        CHECK(machine_fact(&m, names[i], &text) == FOUND && text.n);
    }
    struct str text;
    CHECK(machine_fact(&m, "statfs", &text) == ABSENT);
    CHECK(machine_fact(&m, "nonsense", &text) == ABSENT);
    machine_close(&m);
}
