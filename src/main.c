#include <stdio.h>

#include "cli/command.h"

int main(int argc, char **argv)
{
    struct cli cli = {.out = stdout,
                      .err = stderr,
                      .language = language_detect(),
                      .argv = argv,
                      .argc = argc};

    return cli_main(&cli);
}
