#include "unit/unit.h"

#include "fault.h"
#include "import/python/python.h"
#include "import/torch/aten.h"
#include "import/torch/host.h"

/* Runs a program in a fresh interpretation and shows the value of `r`, or the
 * error. */
static void run(const char *program, char *out, size_t size)
{
    struct arena arena;
    struct trace *t;
    struct err err = {0};
    struct buf b;

    arena_init(&arena, 64 << 20);
    buf_init(&b, 1 << 16);
    t = arena_new(&arena, struct trace, 1);
    struct library library;
    bool ok = t && !library_parse(&arena, &library, &err) && trace_begin(t, &arena, &library, 100000, &err);
    struct scope *s = ok ? py_scope(&t->py, NULL) : NULL;
    ok = s && py_load(&t->py, str_from_cstr(program), s, PY_STRICT);
    struct val *v = ok ? table_find(&s->names, STR("r")) : NULL;
    struct ten *x = ten_of(v);
    if (x) {
        ten_sync(t, x);
        buf_printf(&b, "%s", dtype_oip(x->type));
        shape_format(&b, &x->shape, NULL);
        for (int64_t i = 0; x->data && i < ten_count(x) && i < 12; i++)
            buf_printf(&b, "%s%g", i ? " " : "=", ten_f64(x, (size_t)i));
    } else if (v) {
        py_show(&b, v);
    }
    (void)snprintf(out, size, "%.*s%s", (int)b.n, b.p ? b.p : "", ok ? "" : t ? err.msg : "no memory");
    buf_fini(&b);
    arena_fini(&arena);
}

static const struct {
    const char *program, *want;
} language[] = {
    {"r = 1 + 2 * 3 ** 2", "19"},
    {"r = -7 // 2, -7 % 3, 7 // -2, 2 ** -1", "(-4, 2, -4, 0.5)"},
    {"r = 1 < 2 < 3, 1 < 3 < 2, not 1 == 1", "(True, False, False)"},
    {"r = 'a' if [] else 'b'", "b"},
    {"r = [i * j for i in range(3) if i for j in (1, 2)]", "[1, 2, 2, 4]"},
    {"r = {k: v for k, v in zip('ab', [1, 2])}", "{'a': 1, 'b': 2}"},
    {"a, *b = [1, 2, 3]\nr = b", "[2, 3]"},
    {"a = b = []\na += [1]\nr = b", "[1]"},
    {"r = 'abc'[::-1], [1, 2, 3, 4][1:-1], [1, 2, 3][-2]", "('cba', [2, 3], 2)"},
    {"def f(a, b=2, *c, d=4, **e):\n    return a, b, c, d, e\nr = f(1, 5, 6, d=7, x=8)", "(1, 5, (6,), 7, {'x': 8})"},
    {"def f(n):\n    return 1 if n < 2 else n * f(n - 1)\nr = f(10)", "3628800"},
    {"def f():\n    k = 3\n    def g(x): return x + k\n    return g\nr = f()(4)", "7"},
    {"r = (lambda x, y=2: x * y)(4)", "8"},
    {"r = 0\nfor i in range(10):\n    if i == 2: continue\n    if i == 5: break\n    r += i", "8"},
    {"r = 0\nwhile r < 7:\n    r += 2", "8"},
    {"try:\n    raise ValueError('x')\nexcept ValueError as e:\n    r = 'caught'\nfinally:\n    pass", "caught"},
    {"class A:\n    n = 3\n    def __init__(self, x): self.x = x\n    @property\n    def y(self): return self.x * self.n\n"
     "class B(A):\n    def __init__(self): super().__init__(5)\nr = B().y", "15"},
    {"class A:\n    def __call__(self, x): return x + 1\n    def __getitem__(self, i): return i * 2\n    def __len__(self): return 9\na = A()\nr = a(1), a[4], len(a)", "(2, 8, 9)"},
    {"class A:\n    @staticmethod\n    def f(x): return x\n    @classmethod\n    def g(cls, x): return cls.k + x\n    k = 1\nr = A.f(2), A.g(3)", "(2, 4)"},
    {"from dataclasses import dataclass\n@dataclass\nclass C:\n    a: int = 1\n    b: str = 'x'\nc = C(b='y')\nr = c.a, c.b", "(1, 'y')"},
    {"x = 3\nr = f'{x:03d} {x!r} {{}} {x + 1:.2f}'", "003 3 {} 4.00"},
    {"r = '{}-{:02d}-{n}'.format(1, 2, n='z') + ' %s %d' % ('a', 5)", "1-02-z a 5"},
    {"r = sorted([3, 1, 2], reverse=True), max(1, 5, 2), sum([1, 2]), any([0, 1]), list(map(str, [1]))", "([3, 2, 1], 5, 3, True, ['1'])"},
    {"from functools import partial, reduce\nr = reduce(lambda a, b: a * b, [2, 3]), partial(max, 4)(3)", "(6, 4)"},
    {"import math\nr = math.floor(2.7), math.ceil(2.1), math.sqrt(16), math.prod([2, 3])", "(2, 3, 4.0, 6)"},
    {"if (n := 5) > 3:\n    r = n", "5"},
    {"r = isinstance(1, (int, float)), isinstance('a', str), isinstance([], tuple)", "(True, True, False)"},
    {"r = getattr(5, 'nothing', 'none'), hasattr('a', 'upper')", "('none', True)"},
    {"d = {'a': 1}\nd.update(b=2)\ndel d['a']\nr = d, d.get('c', 3), 'b' in d", "({'b': 2}, 3, True)"},
    {"r = [*range(3), *(7, 8)], {**{'a': 1}, 'b': 2}", "([0, 1, 2, 7, 8], {'a': 1, 'b': 2})"},
    {"a = [1, 2, 3, 4]\ndel a[1:3]\ndel a[-1]\nb = [3, 1, 2]\nb.sort()\nb.remove(2)\nr = a, b", "([1], [1, 3])"},
    {"r = {1, 2} | {3}, {1, 2, 3} & {2, 9}, {1, 2} - {2}, {1, 2} ^ {2, 3}", "({1, 2, 3}, {2}, {1}, {1, 3})"},
    {"r = '--a-b-'.strip('-'), '  x '.lstrip() + '|', 'hELLO'.capitalize(), 'abab'.count('ab'), 'a.py'.endswith(('.c', '.py'))",
     "('a-b', 'x |', 'Hello', 2, True)"},
    {"r = isinstance(slice(1, 2), slice), isinstance([1], slice)", "(True, False)"},
    {"from functools import partial\nf = partial(int, 3)\nr = type(f) == partial, f.func == int", "(True, True)"},
    {"import torch\nr = torch.cuda.is_available(), torch.cuda.device_count()", "(False, 0)"},
    {"from einops import rearrange, repeat, reduce\nimport torch\nx = torch.arange(12).reshape(1, 3, 4)\n"
     "r = reduce(repeat(rearrange(x, 'b h (w t) -> b (t h) w', t=2), 'b h w -> (k b) h w', k=2), 'b h w -> b', 'max')", "INT64[2]"},
    {"import os\nr = os.system('x')", "line 2: 'os.system' is not known here; only functions and classes of torch and of the given source are"},
    {"r = open('x')", "line 1: the name 'open' is not known"},
    {"r = ().__class__", "line 1: a tuple has no attribute '__class__'"},
    {"def f(): return f()\nf()", "line 1: calls are nested more than 120 deep"},
    {"while True: pass", "line 1: the model's code takes more than 100000 steps"},
    {"r = 2 ** 100", "line 1: a whole number is beyond 64 bits"},
    {"r = 1 / 0", "line 1: division by zero"},
    {"r = [1][5]", "line 1: an index is outside its list of 1"},
    {"x = 'abc", "line 1: a string has no end"},
    {"def f(a): pass\nf()", "line 2: f() needs 'a'"},
    {"def f(a): pass\nf(1, b=2)", "line 2: f() does not know 'b'"},
    {"r = yield 1", "line 1: not understood: line 1: expected the end of the statement before '1'"},
};

TEST(python_language)
{
    for (size_t i = 0; i < COUNT(language); i++) {
        char out[700];
        ROW("%s", language[i].program);
        run(language[i].program, out, sizeof(out));
        CHECK_STR(str_from_cstr(out), language[i].want);
    }
}

#define TORCH "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"

/* Constants are computed by the importer itself: type, shape, elements. */
static const struct {
    const char *program, *want;
} constants[] = {
    {"r = torch.arange(3) + 1.5", "FP32[3]=1.5 2.5 3.5"},
    {"r = torch.tensor([[1, 2], [3, 4]]).t()", "INT64[2,2]=1 3 2 4"},
    {"r = torch.zeros(2, 3)\nr[:, 1] = 5", "FP32[2,3]=0 5 0 0 5 0"},
    {"r = torch.arange(6).view(2, 3)[1, ::2]", "INT64[2]=3 5"},
    {"r = torch.cat([torch.ones(1), torch.zeros(2)])", "FP32[3]=1 0 0"},
    {"r = torch.tensor(3) // 2 + torch.tensor([1.0])", "FP32[1]=2"}, /* no dimensions: no promotion */
    {"r = torch.tensor([1, 2]) / 2", "FP32[2]=0.5 1"},
    {"r = (torch.arange(4) > 1) & (torch.arange(4) != 3)", "BOOL[4]=0 0 1 0"},
    {"r = torch.linspace(0, 1, 3).pow(2)", "FP32[3]=0 0.25 1"},
    {"r = torch.full((2,), 7).expand(2, 2).sum().item()", "28"},
    {"r = torch.where(torch.tensor([True, False]), 1.0, 2.0)", "FP32[2]=1 2"},
    {"x = torch.zeros(4)\ny = x.view(2, 2)\ny[0].fill_(3)\nr = x", "FP32[4]=3 3 0 0"},
    {"x = torch.zeros(4)\ny = x[1:3]\ny += 1\nx.mul_(2)\nr = y", "FP32[2]=2 2"},
    {"x = torch.arange(4.0)\ny = x.view(2, 2).t()\ny[0] = 9\nr = x", "FP32[4]=9 1 9 3"},
    {"r = torch.triu(torch.ones(3, 3), 1)", "FP32[3,3]=0 1 1 0 0 1 0 0 0"},
    {"r = int(torch.tensor(4)) + torch.arange(5).max().item()", "8"},
    {"r = torch.stack(torch.meshgrid(torch.arange(2), torch.arange(2), indexing='ij'))", "INT64[2,2,2]=0 0 1 1 0 1 0 1"},
    {"m = nn.Sequential(nn.Linear(4, 3), nn.ReLU())\nr = [n for n, _ in m.named_parameters()], len(m)", "(['0.weight', '0.bias'], 2)"},
    {"r = torch.zeros(2) + torch.zeros(3)", "line 4: add: shapes [2] and [3] do not fit together"},
    {"r = torch.zeros(2, 3).view(4)", "line 4: a tensor of 6 elements cannot be viewed as 4"},
    {"r = torch.zeros(2).reshape(-1, 3)", "line 4: reshape: 2 elements do not divide by 3"},
    {"r = torch.nonsense(1)", "line 4: 'torch.nonsense' is not known here; only functions and classes of torch and of the given source are"},
};

TEST(torch_constants)
{
    for (size_t i = 0; i < COUNT(constants); i++) {
        char program[600], out[700];
        ROW("%s", constants[i].program);
        (void)snprintf(program, sizeof(program), TORCH "%s", constants[i].program);
        run(program, out, sizeof(out));
        CHECK_STR(str_from_cstr(out), constants[i].want);
    }
}

TEST(every_operator_of_torch_has_a_signature_and_one_row)
{
    static const struct aten *const families[] = {aten_binary, aten_conv,  aten_image,  aten_index, aten_join, aten_make, aten_matmul,
                                                  aten_norm,   aten_pool,  aten_reduce, aten_rnn,   aten_shape, aten_unary};
    size_t n = 0;

    for (size_t i = 0; i < COUNT(families); i++)
        for (const struct aten *op = families[i]; op->name; op++, n++) {
            ROW("%s", op->name);
            CHECK(op->signature && op->call);
            CHECK(aten_find(str_from_cstr(op->name)) == op);
        }
    CHECK(n >= 110);
}

TEST(a_program_survives_failing_allocations)
{
    static const char program[] = TORCH "class N(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.l = nn.Linear(4, 2)\n"
                                        "r = [k for k, _ in N().named_parameters()]";
    long failed = 0;

    FAULT_LOOP (n) {
        char out[700];
        run(program, out, sizeof(out));
        bool right = strcmp(out, "['l.weight', 'l.bias']") == 0;
        CHECK(right || out[0]);
        failed += !right;
        if (n > 120)
            break;
    }
    CHECK(failed > 10);
}
