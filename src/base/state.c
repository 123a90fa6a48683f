#include "base/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"

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
    return n > 0 && n < STATE_PATH_MAX && out[0] == '/' &&
           fs_make_dirs(out, NULL) == ERR_OK;
}
