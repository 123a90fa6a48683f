/* Names of element types: torch.float32, "float32", np.float32, 6. */
#include "import/torch/aten.h"

#include <string.h>

/* c10::ScalarType, and the names of torch. */
static const struct {
    const char *name;
    enum dtype type;
    int64_t number;
} types[] = {
    {"torch.uint8", DTYPE_U8, 0},         {"torch.int8", DTYPE_I8, 1},
    {"torch.int16", DTYPE_I16, 2},        {"torch.int32", DTYPE_I32, 3},
    {"torch.int64", DTYPE_I64, 4},        {"torch.float16", DTYPE_F16, 5},
    {"torch.float32", DTYPE_F32, 6},      {"torch.float64", DTYPE_F64, 7},
    {"torch.bool", DTYPE_BOOL, 11},       {"torch.bfloat16", DTYPE_BF16, 15},
    {"torch.short", DTYPE_I16, -1},       {"torch.int", DTYPE_I32, -1},
    {"torch.long", DTYPE_I64, -1},        {"torch.half", DTYPE_F16, -1},
    {"torch.float", DTYPE_F32, -1},       {"torch.double", DTYPE_F64, -1},
    {"torch.FloatTensor", DTYPE_F32, -1}, {"torch.LongTensor", DTYPE_I64, -1},
    {"torch.Tensor", DTYPE_F32, -1},
};

/* numpy's names where they are not torch's. */
static const struct {
    const char *name;
    enum dtype type;
} array_types[] = {
    {"single", DTYPE_F32},   {"float", DTYPE_F64}, {"float_", DTYPE_F64},
    {"longlong", DTYPE_I64}, {"int", DTYPE_I64},   {"int_", DTYPE_I64},
    {"intp", DTYPE_I64},     {"intc", DTYPE_I32},  {"byte", DTYPE_I8},
    {"ubyte", DTYPE_U8},     {"bool_", DTYPE_BOOL}};

static enum dtype named_type(struct str name, const char *package)
{
    size_t n = strlen(package);

    for (size_t i = 0; i < COUNT(types); i++)
        if (str_starts(str_from_cstr(types[i].name), str_from_cstr(package)) &&
            str_eq(name, str_from_cstr(types[i].name + n)))
            return types[i].type;
    return DTYPE_NONE;
}

/* "numpy.float32", and "float32", as numpy takes it. */
static enum dtype array_type(struct str name)
{
    if (str_starts(name, STR("numpy.")))
        name = str_slice(name, 6, name.n);
    for (size_t i = 0; i < COUNT(array_types); i++)
        if (str_eq(name, str_from_cstr(array_types[i].name)))
            return array_types[i].type;
    return named_type(name, "torch.");
}

enum dtype aten_type(const struct val *v)
{
    int64_t number;
    struct str name =
        v->kind == VAL_SPACE || v->kind == VAL_STR ? v->as.text : STR("");

    if (str_starts(name, STR("numpy.")))
        return array_type(name);
    if (v->kind == VAL_FUNCTION && /* np.float32, which can be called too */
        str_starts(v->as.function->name, STR("numpy_")))
        return array_type(
            str_slice(v->as.function->name, 6, v->as.function->name.n));
    if (v->kind == VAL_STR && !memchr(name.p, '.', name.n))
        return array_type(name);

    if (v->kind == VAL_BUILTIN && strstr(v->as.builtin.name, "Tensor"))
        return strstr(v->as.builtin.name, "Long") ? DTYPE_I64 : DTYPE_F32;
    if (v->kind == VAL_BUILTIN)
        return strcmp(v->as.builtin.name, "float") == 0  ? DTYPE_F32
               : strcmp(v->as.builtin.name, "int") == 0  ? DTYPE_I64
               : strcmp(v->as.builtin.name, "bool") == 0 ? DTYPE_BOOL
                                                         : DTYPE_NONE;
    for (size_t i = 0; i < COUNT(types); i++)
        if (v->kind != VAL_BOOL && py_to_int(v, &number)
                ? number == types[i].number
                : str_eq(name, str_from_cstr(types[i].name)))
            return types[i].type;
    return DTYPE_NONE;
}

struct val *aten_type_value(struct py *py, enum dtype type)
{
    for (size_t i = 0; i < COUNT(types); i++)
        if (types[i].type == type)
            return py_space(py, str_from_cstr(types[i].name));
    return py_space(py, STR("torch.other"));
}
