/* cell.h - texts in columns of a terminal. */
#ifndef CLI_CELL_H
#define CLI_CELL_H

#include <stdio.h>

#include "base/str.h"

/* The text in so many places on the screen, and two more; width < 0: at the
 * right of them. Signs outside ASCII are two wide. */
void cell(FILE *out, struct str text, int width);

#endif
