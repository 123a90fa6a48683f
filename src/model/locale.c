/* locale.c - a stand-in for the locale en_US.UTF-8.
 *
 * Text models (StringNormalizer) make ONNX Runtime ask the C++ library for
 * "en_US.UTF-8", and fail to load on machines that have not generated it,
 * which is most containers. C.UTF-8 comes with the C library and has the same
 * tables of letters and cases. The C++ library asks through __newlocale(); a
 * definition in the program is found before the C library's, so the question
 * passes here.
 */
#include <dlfcn.h>
#include <locale.h>
#include <string.h>

#include "base/compiler.h"

EXPORTED locale_t __newlocale(int mask, const char *name, locale_t base);

EXPORTED locale_t __newlocale(int mask, const char *name, locale_t base)
{
    locale_t found = newlocale(mask, name, base);

    if (!found && name && strcmp(name, "en_US.UTF-8") == 0)
        found = newlocale(mask, "C.UTF-8", base);
    return found;
}
