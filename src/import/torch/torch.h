/* torch.h - files of PyTorch: zip archives of torch.save (since 1.6), the
 * older five pickles in a row, TorchScript archives, safetensors.
 *
 * The pickles are read as data (import/pickle.h). A TorchScript archive holds
 * its own code, as text, and needs nothing else. A state_dict or a pickled
 * module holds weights only: what was found and what is missing is reported.
 */
#ifndef IMPORT_TORCH_TORCH_H
#define IMPORT_TORCH_TORCH_H

#include "import/import.h"
#include "import/zip.h"

MUST_CHECK enum errc torch_import_zip(struct str file, const struct zip *z,
                                      struct import *out, struct err *err);
MUST_CHECK enum errc torch_import_legacy(struct str file, struct import *out,
                                         struct err *err);
MUST_CHECK enum errc torch_import_safetensors(struct str file,
                                              struct import *out,
                                              struct err *err);

/* True for a zip archive that torch.save or torch.jit.save wrote. */
bool torch_is_archive(const struct zip *z);
bool torch_is_legacy(struct str file);
bool torch_is_safetensors(struct str file);

#endif
