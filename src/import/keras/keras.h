/* keras.h - Keras models: .h5 of Keras 1 to 3, .keras of Keras 3 and of TF 2.12
 * to 2.14.
 *
 * The file holds the configuration as JSON, and the weights as HDF5 datasets:
 * nothing has to be executed. Layouts and meanings that changed are chosen by
 * the file's own keras_version.
 */
#ifndef IMPORT_KERAS_KERAS_H
#define IMPORT_KERAS_KERAS_H

#include "import/import.h"
#include "import/zip.h"

/* Fills the result's graph and report; see import.h. */
MUST_CHECK enum errc keras_import_h5(struct str file, struct import *out,
                                     struct err *err);
MUST_CHECK enum errc keras_import_zip(const struct zip *z, struct import *out,
                                      struct err *err);

#endif
