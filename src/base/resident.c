#include "base/resident.h"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static int count(struct dl_phdr_info *object, size_t size, void *n)
{
    (void)object;
    (void)size;
    ++*(size_t *)n;
    return 0;
}

size_t resident_objects(void)
{
    size_t n = 0;

    (void)dl_iterate_phdr(count, &n);
    return n;
}

static bool was_rewritten(const struct dl_phdr_info *object)
{
    for (int i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type != PT_DYNAMIC)
            continue;
        const ElfW(Dyn) *d =
            (const void *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
        for (; d->d_tag != DT_NULL; d++)
            if (d->d_tag == DT_TEXTREL ||
                (d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_TEXTREL)))
                return true;
    }
    return false;
}

/* Segments that are never written hold what the file holds. */
static int let_go(struct dl_phdr_info *object, size_t size, void *left)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)size;
    if (!(*(size_t *)left)--)
        return 1;
    if (was_rewritten(object))
        return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &object->dlpi_phdr[i];
        if (p->p_type != PT_LOAD || (p->p_flags & PF_W))
            continue;
        uintptr_t from = object->dlpi_addr + p->p_vaddr;
        uintptr_t to = (from + p->p_memsz) / page * page;
        from = from / page * page;
        if (to > from)
            (void)madvise((void *)from, to - from, MADV_DONTNEED);
    }
    return 0;
}

void resident_trim(size_t objects)
{
    (void)malloc_trim(0);
    (void)dl_iterate_phdr(let_go, &objects);
}
