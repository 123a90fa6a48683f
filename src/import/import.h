/* import.h - a model file of another framework becomes an ONNX graph.
 *
 *     bytes of the file --importer--> graph, weights in place, report
 *
 * An importer is a pure function: it reads the bytes it is given, opens
 * nothing, runs nothing. What a file is, is decided by its first bytes, never
 * by its name.
 */
#ifndef IMPORT_IMPORT_H
#define IMPORT_IMPORT_H

#include "import/graph.h"

enum import_kind {
    IMPORT_ONNX, /* needs no import */
    IMPORT_KERAS_H5,
    IMPORT_ZIP, /* Keras or PyTorch: the names inside say it */
    IMPORT_TORCH_LEGACY,
    IMPORT_SAFETENSORS,
    IMPORT_UNKNOWN,
};

/* What a person wants to know of the file before it is served. */
struct import_report {
    const char *kind;      /* "Keras model (HDF5)" */
    const char *framework; /* "Keras 2.4.0" */
    const char *title;     /* the model's own name; "" */
    uint64_t parameters;
    /* Classes met and how often; in the order of appearance. */
    const char **classes;
    size_t *counts, n_classes;
    /* Tensors of a file that holds weights only: "fc.weight FP32 [10,20]". */
    const char **tensors;
    size_t n_tensors;
    char missing[800]; /* what a person has to supply; "" */
    char note[300];    /* what a person should know, as a guess; "" */
};

enum { IMPORT_MAX_TENSORS = 20000 };

/* What a person adds to a file that is not enough alone; zeroed: nothing. */
struct import_options {
    struct str code;       /* Python source, or a notebook */
    struct str class_name; /* of the model, or of a function that makes it */
    struct str init;       /* JSON: arguments of its constructor by name */
    struct str input;      /* "1,3,224,224:float32;1,10:int64" */
};

struct import {
    struct arena *arena; /* of everything here */
    struct import_options options;
    struct graph graph;
    struct import_report report;
};

enum import_kind import_sniff(struct str file);
/* Anything that is not ONNX but is known. What is unknown goes to the runtime,
 * which says what is wrong with it. */
bool import_needed(enum import_kind kind);
const char *import_kind_name(enum import_kind kind);

/* The file must stay where it is while the graph is used, and be followed by
 * NUMBER_PAD readable bytes. On failure the report holds what was found. */
MUST_CHECK enum errc import_file(struct str file,
                                 const struct import_options *options,
                                 struct arena *arena, struct import *out,
                                 struct err *err);

/* For importers: lists a tensor. */
void import_lists(struct import *out, struct str name, const struct tensor *t);

/* For importers: counts a class of the framework. */
void import_saw(struct import *out, struct str class_name);

#endif
