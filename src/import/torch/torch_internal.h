/* torch_internal.h - between the files of the PyTorch importer.
 *
 *   torch.c          containers -> object of the pickle, kind, report
 *   torch_names.c    which names a pickle of PyTorch may use
 *   torch_tensor.c   storages, strides -> tensors
 */
#ifndef IMPORT_TORCH_TORCH_INTERNAL_H
#define IMPORT_TORCH_TORCH_INTERNAL_H

#include "import/pickle.h"
#include "import/torch/torch.h"

extern const struct pickle_rules torch_rules;

/* Where the bytes of storages are. */
struct torch_file {
    struct arena *arena;
    struct err *err;
    const struct zip *zip; /* NULL: legacy */
    struct str folder;     /* of the archive, with its slash */
    const char *data;      /* where storages lie in it: "data/" */
    struct torch_storage {
        struct str key, bytes;
    } * storages; /* of a legacy file, by key */
    size_t n_storages;
    uint64_t work; /* steps walked through objects that may be shared */
};

enum { TORCH_MAX_WORK = 20 * 1000 * 1000 };

/* True when v is a tensor or parameter of PyTorch. */
bool torch_is_tensor(const struct pickle *v);

/* The tensor, in the file where its elements lie in order, else in the
 * arena. */
MUST_CHECK enum errc torch_tensor(struct torch_file *f, const struct pickle *v,
                                  struct tensor *out);

/* The same from the bytes of a storage; out has type and shape. Strides and
 * offset count elements. */
MUST_CHECK enum errc torch_view(struct torch_file *f, struct str bytes,
                                const int64_t *stride, int64_t offset,
                                struct tensor *out);

/* The bytes of an entry of the archive by its name below the folder; p ==
 * NULL: there is none. Packed ones are unpacked, up to max. */
MUST_CHECK enum errc torch_entry(struct torch_file *f, const char *name,
                                 size_t max, struct str *out);

#endif
