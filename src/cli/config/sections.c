#include "cli/config/sections.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "cli/config/checks.h"
#include "cli/hint_flags.h"
#include "cli/monitor_start.h"
#include "cli/serve_options.h"
#include "logs/clean.h"

#define DAY (86400 * SECOND)

enum { MS = 1000000 };

#define SECOND INT64_C(1000000000)
#define MANY   INT64_C(1000000)

/* clang-format off */
#define AT(field) offsetof(struct model_settings, field)
static const struct flag model_flags[] = {
    {"file",  0, FLAG_FILE, AT(file), NULL, 0, 0, 0, TEXT_CONFIG_FILE, false, 0, NULL},
    {"code",  0, FLAG_FILE, AT(hints.code), NULL, 0, 0, 0, TEXT_OPT_CODE, false, 0, NULL},
    {"class", 0, FLAG_TEXT, AT(hints.class_name), NULL, 0, 0, 0, TEXT_OPT_CLASS, false, 0, NULL},
    {"init",  0, FLAG_TEXT, AT(hints.init), NULL, 0, 0, 0, TEXT_OPT_INIT, false, 0, NULL},
    {"input", 0, FLAG_TEXT, AT(hints.input), NULL, 0, 0, 0, TEXT_OPT_INPUT, false, 0, NULL},
    {.name = ""},
};
#undef AT

#define AT(field) offsetof(struct logs_settings, field)
static const struct flag logs_flags[] = {
    {"directory",   0, FLAG_DIR, AT(rotate.directory), NULL, 0, 0, 0, TEXT_CONFIG_LOG_DIR, false, 0, NULL},
    {"rotate-size", 0, FLAG_SIZE, AT(rotate.size), "64M", 4096, INT64_MAX, 0, TEXT_CONFIG_LOG_SIZE, false, 0, NULL},
    {"rotate-every", 0, FLAG_DURATION, AT(rotate.every), "1d", 0, 366 * DAY, DAY, TEXT_CONFIG_LOG_EVERY, false, 0, NULL},
    {"keep",        0, FLAG_INT, AT(rotate.keep), "14", 0, MANY, 0, TEXT_CONFIG_LOG_KEEP, false, 0, NULL},
    {"no-compress", 0, FLAG_BOOL, AT(rotate.no_compress), NULL, 0, 0, 0, TEXT_CONFIG_LOG_PLAIN, false, 0, NULL},
    {"clean",       0, FLAG_DIRS, AT(clean), NULL, 0, 0, 0, TEXT_CONFIG_CLEAN, false, 0, NULL},
    {"clean-at",    0, FLAG_TEXT, AT(clean_at), "daily at 04:30", 0, 0, 0, TEXT_CONFIG_CLEAN_AT, false, 0, check_when},
    {"match",       0, FLAG_TEXT, AT(match), CLEAN_MATCH, 0, 0, 0, TEXT_OPT_LOGS_MATCH, false, 0, NULL},
    {"older-than",  0, FLAG_DURATION, AT(older_than), "7d", 0, 36500 * DAY, DAY, TEXT_OPT_LOGS_OLDER, false, 0, NULL},
    {"max-total",   0, FLAG_SIZE, AT(max_total), NULL, 0, INT64_MAX, 0, TEXT_OPT_LOGS_TOTAL, false, 0, NULL},
    {"keep-free",   0, FLAG_SIZE, AT(keep_free), NULL, 0, INT64_MAX, 0, TEXT_OPT_LOGS_FREE, false, 0, NULL},
    {.name = ""},
};
#undef AT

#define PROCESS(type, field) offsetof(struct type, process.field)
#define PROCESS_FLAGS(type) \
    {"command",     0, FLAG_WORDS, PROCESS(type, command), NULL, 0, 0, 0, TEXT_CONFIG_COMMAND, false, 0, NULL}, \
    {"directory",   0, FLAG_DIR, PROCESS(type, directory), NULL, 0, 0, 0, TEXT_CONFIG_DIRECTORY, false, 0, NULL}, \
    {"user",        0, FLAG_TEXT, PROCESS(type, user), NULL, 0, 0, 0, TEXT_CONFIG_USER, false, 0, check_user}, \
    {"environment", 0, FLAG_PAIRS, PROCESS(type, environment), NULL, 0, 0, 0, TEXT_CONFIG_ENVIRONMENT, false, 0, NULL}, \
    {"environment-file", 0, FLAG_FILE, PROCESS(type, environment_file), NULL, 0, 0, 0, TEXT_CONFIG_ENV_FILE, false, 0, NULL}, \
    {"memory",      0, FLAG_SIZE, PROCESS(type, memory), NULL, 0, INT64_MAX, 0, TEXT_CONFIG_MEMORY, false, 0, NULL}, \
    {"cpus",        0, FLAG_TEXT, PROCESS(type, cpus), NULL, 0, 0, 0, TEXT_CONFIG_CPUS, false, 0, check_cpus}, \
    {"tasks",       0, FLAG_INT, PROCESS(type, tasks), NULL, 0, MANY, 0, TEXT_CONFIG_TASKS, false, 0, NULL}

#define AT(field) offsetof(struct service_spec, field)
static const struct flag service_flags[] = {
    PROCESS_FLAGS(service_spec),
    {"after",          0, FLAG_LIST, AT(after), NULL, 0, 0, 0, TEXT_CONFIG_AFTER, false, 0, NULL},
    {"ready-http",     0, FLAG_TEXT, AT(ready_http), NULL, 0, 0, 0, TEXT_CONFIG_READY_HTTP, false, 0, check_url},
    {"ready-tcp",      0, FLAG_TEXT, AT(ready_tcp), NULL, 0, 0, 0, TEXT_CONFIG_READY_TCP, false, 0, check_address},
    {"ready-file",     0, FLAG_DIR, AT(ready_file), NULL, 0, 0, 0, TEXT_CONFIG_READY_FILE, false, 0, NULL},
    {"ready-notify",   0, FLAG_BOOL, AT(ready_notify), NULL, 0, 0, 0, TEXT_CONFIG_READY_NOTIFY, false, 0, NULL},
    {"ready-timeout",  0, FLAG_DURATION, AT(ready_timeout), "60s", 100 * MS, DAY, SECOND, TEXT_CONFIG_READY_TIMEOUT, false, 0, NULL},
    {"health-http",    0, FLAG_TEXT, AT(health_http), NULL, 0, 0, 0, TEXT_CONFIG_HEALTH_HTTP, false, 0, check_url},
    {"health-tcp",     0, FLAG_TEXT, AT(health_tcp), NULL, 0, 0, 0, TEXT_CONFIG_HEALTH_TCP, false, 0, check_address},
    {"health-every",   0, FLAG_DURATION, AT(health_every), "10s", 100 * MS, DAY, SECOND, TEXT_CONFIG_HEALTH_EVERY, false, 0, NULL},
    {"health-timeout", 0, FLAG_DURATION, AT(health_timeout), "2s", 10 * MS, DAY, SECOND, TEXT_CONFIG_HEALTH_TIMEOUT, false, 0, NULL},
    {"health-failures", 0, FLAG_INT, AT(health_failures), "3", 1, 1000, 0, TEXT_CONFIG_HEALTH_FAILURES, false, 0, NULL},
    {"restart",        0, FLAG_TEXT, AT(restart), "always", 0, 0, 0, TEXT_CONFIG_RESTART, false, 0, check_restart},
    {"restart-delay",  0, FLAG_DURATION, AT(delay), "500ms", 0, DAY, SECOND, TEXT_CONFIG_DELAY, false, 0, NULL},
    {"restart-delay-max", 0, FLAG_DURATION, AT(delay_max), "30s", 0, DAY, SECOND, TEXT_CONFIG_DELAY_MAX, false, 0, NULL},
    {"restart-limit",  0, FLAG_INT, AT(limit), "0", 0, MANY, 0, TEXT_CONFIG_LIMIT, false, 0, NULL},
    {"success-status", 0, FLAG_LIST, AT(success_status), NULL, 0, 0, 0, TEXT_CONFIG_SUCCESS, false, 0, check_statuses},
    {"stop-signal",    0, FLAG_TEXT, AT(stop_signal), "TERM", 0, 0, 0, TEXT_CONFIG_STOP_SIGNAL, false, 0, check_signal},
    {"stop-timeout",   0, FLAG_DURATION, AT(stop_timeout), "10s", 0, DAY, SECOND, TEXT_CONFIG_STOP_TIMEOUT, false, 0, NULL},
    {"outlives",       0, FLAG_BOOL, AT(outlives), NULL, 0, 0, 0, TEXT_CONFIG_OUTLIVES, false, 0, NULL},
    {.name = ""},
};
#undef AT

#define AT(field) offsetof(struct backup_settings, field)
static const struct flag backup_flags[] = {
    {"sources",   0, FLAG_FILES, AT(sources), NULL, 0, 0, 0, TEXT_CONFIG_SOURCES, false, 0, NULL},
    {"repo",      0, FLAG_DIR, AT(repo), NULL, 0, 0, 0, TEXT_OPT_BACKUP_REPO, false, 0, NULL},
    {"name",      0, FLAG_TEXT, AT(name), BACKUP_NAME, 0, 0, 0, TEXT_OPT_BACKUP_NAME, false, 0, NULL},
    {"tag",       0, FLAG_TEXT, AT(tag), NULL, 0, 0, 0, TEXT_OPT_BACKUP_TAG, false, 0, NULL},
    {"exclude",   0, FLAG_LIST, AT(exclude), NULL, 0, 0, 0, TEXT_OPT_BACKUP_EXCLUDE, false, 0, NULL},
    {"one-file-system", 0, FLAG_BOOL, AT(one_file_system), NULL, 0, 0, 0, TEXT_OPT_BACKUP_ONE_FS, false, 0, NULL},
    {"at",        0, FLAG_TEXT, AT(at), "daily at 03:00", 0, 0, 0, TEXT_CONFIG_BACKUP_AT, false, 0, check_when},
    {"verify-at", 0, FLAG_TEXT, AT(verify_at), "sunday at 05:00", 0, 0, 0, TEXT_CONFIG_VERIFY_AT, false, 0, check_when},
    {"jitter",    0, FLAG_DURATION, AT(jitter), "0", 0, DAY, SECOND, TEXT_CONFIG_JITTER, false, 0, NULL},
    {"timeout",   0, FLAG_DURATION, AT(timeout), "6h", 0, 30 * DAY, SECOND, TEXT_CONFIG_JOB_TIMEOUT, false, 0, NULL},
    {"keep-last", 0, FLAG_INT, AT(keep.last), NULL, 0, MANY, 0, TEXT_OPT_KEEP_LAST, false, 0, NULL},
    {"keep-hourly", 0, FLAG_INT, AT(keep.hourly), NULL, 0, MANY, 0, TEXT_OPT_KEEP_HOURLY, false, 0, NULL},
    {"keep-daily", 0, FLAG_INT, AT(keep.daily), NULL, 0, MANY, 0, TEXT_OPT_KEEP_DAILY, false, 0, NULL},
    {"keep-weekly", 0, FLAG_INT, AT(keep.weekly), NULL, 0, MANY, 0, TEXT_OPT_KEEP_WEEKLY, false, 0, NULL},
    {"keep-monthly", 0, FLAG_INT, AT(keep.monthly), NULL, 0, MANY, 0, TEXT_OPT_KEEP_MONTHLY, false, 0, NULL},
    {"keep-yearly", 0, FLAG_INT, AT(keep.yearly), NULL, 0, MANY, 0, TEXT_OPT_KEEP_YEARLY, false, 0, NULL},
    {"keep-within", 0, FLAG_DURATION, AT(keep.within_ns), NULL, 0, 36500 * DAY, DAY, TEXT_OPT_KEEP_WITHIN, false, 0, NULL},
    {"keep-tag",  0, FLAG_LIST, AT(keep.tags), NULL, 0, 0, 0, TEXT_OPT_KEEP_TAG, false, 0, NULL},
    {.name = ""},
};
#undef AT

#define AT(field) offsetof(struct job_spec, field)
static const struct flag schedule_flags[] = {
    PROCESS_FLAGS(job_spec),
    {"at",       0, FLAG_TEXT, AT(at), NULL, 0, 0, 0, TEXT_CONFIG_AT, false, 0, check_when},
    {"timezone", 0, FLAG_TEXT, AT(timezone), NULL, 0, 0, 0, TEXT_CONFIG_TIMEZONE, false, 0, check_timezone},
    {"jitter",   0, FLAG_DURATION, AT(jitter), "0", 0, DAY, SECOND, TEXT_CONFIG_JITTER, false, 0, NULL},
    {"timeout",  0, FLAG_DURATION, AT(timeout), "1h", 0, 30 * DAY, SECOND, TEXT_CONFIG_JOB_TIMEOUT, false, 0, NULL},
    {"no-catch-up", 0, FLAG_BOOL, AT(no_catch_up), NULL, 0, 0, 0, TEXT_CONFIG_NO_CATCH_UP, false, 0, NULL},
    {.name = ""},
};
#undef AT
/* clang-format on */

/* What `serve` has for its monitor stands in `monitor` here. */
static const char *const not_serve[] = {"config",
                                        "monitor-port",
                                        "monitor-interval",
                                        "history",
                                        "no-history",
                                        "rules",
                                        "notify",
                                        "logs-to",
                                        "backups",
                                        "code",
                                        "class",
                                        "init",
                                        "input",
                                        NULL};

/* Its messages are a section. */
static const char *const not_monitor[] = {"notify", NULL};

const struct section sections[] = {
    {"models", model_flags, sizeof(struct model_settings), true, "file", NULL,
     TEXT_CONFIG_MODELS, check_model},
    {"serve", serve_flags, sizeof(struct serve_options), false, NULL, not_serve,
     TEXT_CONFIG_SERVE, NULL},
    {"monitor", monitor_flags_table, sizeof(struct monitor_flags), false, NULL,
     not_monitor, TEXT_CONFIG_MONITOR, NULL},
    {"notify", NULL, 0, false, NULL, NULL, TEXT_CONFIG_NOTIFY, check_notify},
    {"services", service_flags, sizeof(struct service_spec), true, "command",
     NULL, TEXT_CONFIG_SERVICES, check_service},
    {"logs", logs_flags, sizeof(struct logs_settings), false, NULL, NULL,
     TEXT_CONFIG_LOGS, NULL},
    {"backups", backup_flags, sizeof(struct backup_settings), true, NULL, NULL,
     TEXT_CONFIG_BACKUPS, check_backup},
    {"schedules", schedule_flags, sizeof(struct job_spec), true, NULL, NULL,
     TEXT_CONFIG_SCHEDULES, check_schedule},
    {0},
};
