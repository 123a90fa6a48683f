/* Every name that may be called while a pickle of PyTorch is read, exactly;
 * and what may stand there as an instance of a class, inert. */
#include <string.h>

#include "import/torch/torch_internal.h"

static const char *const callables[] = {
    "collections.OrderedDict",
    "collections.defaultdict",
    "collections.Counter",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._utils._rebuild_qtensor",
    "torch._utils._rebuild_sparse_tensor",
    "torch._utils._rebuild_meta_tensor_no_storage",
    "torch._utils._rebuild_wrapper_subclass",
    "torch._tensor._rebuild_from_type_v2",
    "torch._set_obj_state",
    "torch.Size",
    "torch.device",
    "torch.nn.parameter.Parameter",
    "torch.nn.parameter.Buffer",
    "torch.serialization._get_layout",
    "torch.jit._pickle.build_intlist",
    "torch.jit._pickle.build_tensorlist",
    "torch.jit._pickle.build_doublelist",
    "torch.jit._pickle.build_boollist",
    "torch.jit._pickle.build_tensor_from_id",
    "torch.jit._pickle.restore_type_tag",
    "builtins.set",
    "builtins.frozenset",
    "builtins.complex",
    "builtins.bytearray",
    "builtins.slice",
    "builtins.range",
    "__builtin__.set",
    "__builtin__.bytearray",
    "__builtin__.complex",
    "_codecs.encode",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct",
    "numpy.dtype",
    "numpy.ndarray",
    "argparse.Namespace",
    "pathlib.PosixPath",
    "pathlib.WindowsPath",
    "pathlib.PurePosixPath",
    "datetime.datetime",
    "copyreg._reconstructor",
    "copy_reg._reconstructor",
};

/* Modules in which no model class lives. */
static const char *const dangerous[] = {
    "os",          "posix",       "nt",        "sys",
    "subprocess",  "builtins",    "importlib", "runpy",
    "socket",      "shutil",      "pty",       "ctypes",
    "pickle",      "_pickle",     "marshal",   "code",
    "codeop",      "operator",    "_operator", "functools",
    "webbrowser",  "types",       "threading", "multiprocessing",
    "asyncio",     "http",        "urllib",    "ftplib",
    "smtplib",     "telnetlib",   "tempfile",  "zipfile",
    "tarfile",     "sqlite3",     "logging",   "bdb",
    "pdb",         "timeit",      "trace",     "profile",
    "cProfile",    "pydoc",       "doctest",   "pip",
    "setuptools",  "distutils",   "venv",      "site",
    "imp",         "zipimport",   "commands",  "popen2",
    "platform",    "signal",      "resource",  "numpy",
    "__builtin__", "_io",         "io",        "nturl2path",
    "idlelib",     "lib2to3",     "ssl",       "select",
    "mmap",        "gc",          "inspect",   "ast",
    "dis",         "xmlrpc",      "requests",  "aiohttp",
    "httplib",     "Pyro4",       "dill",      "cloudpickle",
    "joblib",      "commandline",
};

static bool listed(struct str name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(name, str_from_cstr(list[i])))
            return true;
    return false;
}

static bool callable(struct str name)
{
    return listed(name, callables, COUNT(callables));
}

/* "package.module.Class": a class by its looks, and from no module that does
 * things. */
static bool instance(struct str name)
{
    struct str rest = name;
    struct str root = str_cut(&rest, '.');
    const char *dot = memrchr(name.p, '.', name.n);
    const char *last = dot ? dot + 1 : name.p;

    if (callable(name))
        return true;
    while (last < name.p + name.n && *last == '_')
        last++;
    bool class_like = last < name.p + name.n && *last >= 'A' && *last <= 'Z';
    /* Classes of TorchScript may have any name. */
    if (str_eq(root, STR("__torch__")))
        return true;
    return class_like && !listed(root, dangerous, COUNT(dangerous));
}

const struct pickle_rules torch_rules = {callable, instance};
