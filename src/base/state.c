#include "base/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every directory of the path; the last parts are what may be missing. */
static bool make_all(char *path)
{
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        bool ok = mkdir(path, 0700) == 0 || errno == EEXIST;
        *p = '/';
        if (!ok)
            return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

bool state_path(const char *below, char out[STATE_PATH_MAX])
{
    const char *given = getenv("STOKER_STATE");
    const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n;

    if (given && *given)
        n = snprintf(out, STATE_PATH_MAX, "%s/%s", given, below);
    else if (geteuid() == 0)
        n = snprintf(out, STATE_PATH_MAX, "/var/lib/stoker/%s", below);
    else if (xdg && xdg[0] == '/')
        n = snprintf(out, STATE_PATH_MAX, "%s/stoker/%s", xdg, below);
    else if (home && home[0] == '/')
        n = snprintf(out, STATE_PATH_MAX, "%s/.local/state/stoker/%s", home,
                     below);
    else
        return false;
    return n > 0 && n < STATE_PATH_MAX && out[0] == '/' && make_all(out);
}
