/* ort_api.h - the part of ONNX Runtime's C ABI that we call.
 *
 * The library exports OrtGetApiBase(); everything else is a table of function
 * pointers whose order never changes, new functions are only added behind. A
 * row here is ordinal, name and parameters; all but the void ones return a
 * status that is NULL for success. Ordinals were checked against the releases
 * 1.17 to 1.30; tests/unit/model/ort_abi_test.c checks the library found.
 */
#ifndef MODEL_ORT_API_H
#define MODEL_ORT_API_H

#include <stddef.h>
#include <stdint.h>

struct ort_status;
struct ort_env;
struct ort_session;
struct ort_session_options;
struct ort_run_options;
struct ort_value;
struct ort_memory_info;
struct ort_allocator;
struct ort_type_info;
struct ort_tensor_info;
struct ort_sequence_info;
struct ort_map_info;
struct ort_optional_info;
struct ort_metadata;
struct ort_cuda_options;
struct ort_trt_options;

struct ort_api_base {
    const void *(*get_api)(uint32_t version);
    const char *(*get_version_string)(void);
};

enum {
    ORT_API_MIN = 17, /* release 1.17 */
    ORT_API_MAX = 30, /* the newest that was tested */
    ORT_LOG_ERROR = 3,
    ORT_LOG_FATAL = 4,
};

enum ort_onnx_type {
    ORT_TYPE_UNKNOWN,
    ORT_TYPE_TENSOR,
    ORT_TYPE_SEQUENCE,
    ORT_TYPE_MAP,
    ORT_TYPE_OPAQUE,
    ORT_TYPE_SPARSE,
    ORT_TYPE_OPTIONAL,
};

enum ort_code {
    ORT_FAIL = 1,
    ORT_INVALID_ARGUMENT = 2,
    ORT_NO_SUCHFILE = 3,
    ORT_INVALID_PROTOBUF = 7,
    ORT_NOT_IMPLEMENTED = 9,
    ORT_INVALID_GRAPH = 10,
};

/* clang-format off */
#define ORT_CALLS(X) \
    X(3,   create_env, (int severity, const char *id, struct ort_env **out)) \
    X(8,   create_session, (const struct ort_env *, const void *bytes, size_t n, const struct ort_session_options *, struct ort_session **out)) \
    X(9,   run, (struct ort_session *, const struct ort_run_options *, const char *const *names, const struct ort_value *const *inputs, size_t n, const char *const *out_names, size_t n_out, struct ort_value **outputs)) \
    X(10,  create_session_options, (struct ort_session_options **out)) \
    X(12,  clone_session_options, (const struct ort_session_options *, struct ort_session_options **out)) \
    X(22,  set_log_severity, (struct ort_session_options *, int severity)) \
    X(24,  set_intra_threads, (struct ort_session_options *, int n)) \
    X(25,  set_inter_threads, (struct ort_session_options *, int n)) \
    X(30,  input_count, (const struct ort_session *, size_t *out)) \
    X(31,  output_count, (const struct ort_session *, size_t *out)) \
    X(32,  overridable_count, (const struct ort_session *, size_t *out)) \
    X(33,  input_type, (const struct ort_session *, size_t i, struct ort_type_info **out)) \
    X(34,  output_type, (const struct ort_session *, size_t i, struct ort_type_info **out)) \
    X(35,  overridable_type, (const struct ort_session *, size_t i, struct ort_type_info **out)) \
    X(36,  input_name, (const struct ort_session *, size_t i, struct ort_allocator *, char **out)) \
    X(37,  output_name, (const struct ort_session *, size_t i, struct ort_allocator *, char **out)) \
    X(38,  overridable_name, (const struct ort_session *, size_t i, struct ort_allocator *, char **out)) \
    X(48,  create_tensor, (struct ort_allocator *, const int64_t *dims, size_t rank, int type, struct ort_value **out)) \
    X(49,  create_tensor_on, (const struct ort_memory_info *, void *data, size_t bytes, const int64_t *dims, size_t rank, int type, struct ort_value **out)) \
    X(51,  tensor_data, (struct ort_value *, void **out)) \
    X(53,  strings_length, (const struct ort_value *, size_t *out)) \
    X(54,  strings_content, (const struct ort_value *, void *bytes, size_t n, size_t *offsets, size_t n_offsets)) \
    X(55,  cast_tensor_info, (const struct ort_type_info *, const struct ort_tensor_info **out)) \
    X(56,  type_of_info, (const struct ort_type_info *, int *out)) \
    X(60,  element_type, (const struct ort_tensor_info *, int *out)) \
    X(61,  dimension_count, (const struct ort_tensor_info *, size_t *out)) \
    X(62,  dimensions, (const struct ort_tensor_info *, int64_t *out, size_t n)) \
    X(63,  symbolic_dimensions, (const struct ort_tensor_info *, const char **out, size_t n)) \
    X(65,  tensor_info, (const struct ort_value *, struct ort_tensor_info **out)) \
    X(67,  value_type, (const struct ort_value *, int *out)) \
    X(69,  create_cpu_memory_info, (int allocator, int mem_type, struct ort_memory_info **out)) \
    X(76,  allocator_free, (struct ort_allocator *, void *p)) \
    X(78,  default_allocator, (struct ort_allocator **out)) \
    X(80,  get_value, (const struct ort_value *, int i, struct ort_allocator *, struct ort_value **out)) \
    X(81,  value_count, (const struct ort_value *, size_t *out)) \
    X(104, cast_sequence_info, (const struct ort_type_info *, const struct ort_sequence_info **out)) \
    X(107, sequence_element, (const struct ort_sequence_info *, struct ort_type_info **out)) \
    X(111, metadata, (const struct ort_session *, struct ort_metadata **out)) \
    X(112, producer, (const struct ort_metadata *, struct ort_allocator *, char **out)) \
    X(113, graph_name, (const struct ort_metadata *, struct ort_allocator *, char **out)) \
    X(115, description, (const struct ort_metadata *, struct ort_allocator *, char **out)) \
    X(125, available_providers, (char ***out, int *n)) \
    X(126, free_providers, (char **p, int n)) \
    X(129, fill_string, (struct ort_value *, const char *s, size_t i)) \
    X(130, add_config, (struct ort_session_options *, const char *key, const char *value)) \
    X(170, append_tensorrt, (struct ort_session_options *, const struct ort_trt_options *)) \
    X(171, create_tensorrt_options, (struct ort_trt_options **out)) \
    X(192, has_value, (const struct ort_value *, int *out)) \
    X(204, append_cuda, (struct ort_session_options *, const struct ort_cuda_options *)) \
    X(205, create_cuda_options, (struct ort_cuda_options **out)) \
    X(210, add_external_initializers, (struct ort_session_options *, const char *const *names, const struct ort_value *const *values, size_t n)) \
    X(250, cast_optional_info, (const struct ort_type_info *, const struct ort_optional_info **out)) \
    X(251, optional_contained, (const struct ort_optional_info *, struct ort_type_info **out)) \
    X(252, resized_string, (struct ort_value *, size_t i, size_t n, char **out)) \
    X(275, append_openvino, (struct ort_session_options *, const char *const *keys, const char *const *values, size_t n))

#define ORT_PROCEDURES(X) \
    X(92,  release_env, (struct ort_env *)) \
    X(93,  release_status, (struct ort_status *)) \
    X(95,  release_session, (struct ort_session *)) \
    X(96,  release_value, (struct ort_value *)) \
    X(98,  release_type_info, (struct ort_type_info *)) \
    X(94,  release_memory_info, (struct ort_memory_info *)) \
    X(99,  release_tensor_info, (struct ort_tensor_info *)) \
    X(100, release_session_options, (struct ort_session_options *)) \
    X(118, release_metadata, (struct ort_metadata *)) \
    X(174, release_tensorrt_options, (struct ort_trt_options *)) \
    X(208, release_cuda_options, (struct ort_cuda_options *))
/* clang-format on */

enum {
    ORT_GET_ERROR_CODE = 1,
    ORT_GET_ERROR_MESSAGE = 2,
    ORT_SLOTS_USED = 276
};

struct ort_api {
    int (*error_code)(const struct ort_status *);
    const char *(*error_message)(const struct ort_status *);
#define X(ordinal, name, args) struct ort_status *(*name)args;
    ORT_CALLS(X)
#undef X
#define X(ordinal, name, args) void(*name) args;
    ORT_PROCEDURES(X)
#undef X
};

#endif
