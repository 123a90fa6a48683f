# More of Python's standard modules than the evaluator has by itself: functions
# of math, itertools, operator, functools, collections, string and random that
# constructors use. Each name is called MODULE_NAME; host.c says which modules
# there are.
import math
import torch


# ---- math -------------------------------------------------------------------

def math_gcd(*numbers):
    a = 0
    for b in numbers:
        while b:
            a, b = b, a % b
    return abs(a)


def math_lcm(*numbers):
    out = 1
    for n in numbers:
        out = out * n // math_gcd(out, n)
    return abs(out)


def math_factorial(n):
    return math.prod(range(1, n + 1))


def math_comb(n, k):
    return math_factorial(n) // (math_factorial(k) * math_factorial(n - k)) if 0 <= k <= n else 0


def math_isqrt(n):
    r = int(math.sqrt(n))
    while r * r > n:
        r -= 1
    while (r + 1) * (r + 1) <= n:
        r += 1
    return r


def math_degrees(x):
    return x * 180.0 / math.pi


def math_radians(x):
    return x * math.pi / 180.0


def math_hypot(*x):
    return math.sqrt(sum([v * v for v in x]))


def math_fmod(x, y):
    return x - y * math.trunc(x / y)


def math_isnan(x):
    return x != x


def math_isinf(x):
    return x == math.inf or x == -math.inf


def math_isfinite(x):
    return not math_isnan(x) and not math_isinf(x)


def math_isclose(a, b, rel_tol=1e-09, abs_tol=0.0):
    return abs(a - b) <= max(rel_tol * max(abs(a), abs(b)), abs_tol)


def math_atan2(y, x):
    if x > 0:
        return math.atan(y / x)
    if x < 0:
        return math.atan(y / x) + (math.pi if y >= 0 else -math.pi)
    return 0.0 if y == 0 else math.pi / 2 if y > 0 else -math.pi / 2


math_tau = 2 * math.pi


# ---- itertools --------------------------------------------------------------

def itertools_product(*lists, repeat=1):
    out = [()]
    for part in [list(p) for p in lists] * repeat:
        out = [head + (x,) for head in out for x in part]
    return out


def itertools_repeat(x, times):
    return [x] * times


def itertools_accumulate(values, func=None, initial=None):
    out = [] if initial is None else [initial]
    for v in values:
        out.append(v if not out else func(out[-1], v) if func else out[-1] + v)
    return out


def itertools_pairwise(values):
    values = list(values)
    return list(zip(values[:-1], values[1:]))


def itertools_combinations(values, r):
    values = list(values)
    if r == 0:
        return [()]
    out = []
    for i in range(len(values)):
        out += [(values[i],) + rest for rest in itertools_combinations(values[i + 1:], r - 1)]
    return out


def itertools_permutations(values, r=None):
    values = list(values)
    r = len(values) if r is None else r
    if r == 0:
        return [()]
    out = []
    for i in range(len(values)):
        out += [(values[i],) + rest for rest in itertools_permutations(values[:i] + values[i + 1:], r - 1)]
    return out


def itertools_islice(values, *limits):
    return list(values)[slice(*limits)]


def itertools_starmap(f, rows):
    return [f(*row) for row in rows]


def itertools_zip_longest(*lists, fillvalue=None):
    lists = [list(p) for p in lists]
    return [tuple([p[i] if i < len(p) else fillvalue for p in lists]) for i in range(max([len(p) for p in lists]))]


def itertools_chain_from_iterable(lists):
    return [x for part in lists for x in part]


# ---- operator ---------------------------------------------------------------

def operator_add(a, b):
    return a + b


def operator_sub(a, b):
    return a - b


def operator_mul(a, b):
    return a * b


def operator_truediv(a, b):
    return a / b


def operator_floordiv(a, b):
    return a // b


def operator_itemgetter(*keys):
    return lambda x: x[keys[0]] if len(keys) == 1 else tuple([x[k] for k in keys])


def operator_attrgetter(name):
    return lambda x: getattr(x, name)


# ---- dict, as a base of other classes -----------------------------------------

class standard_dict:
    """Its members are its attributes, which is what such classes are written for."""

    def __init__(self, *args, **kwargs):
        self.update(*args, **kwargs)

    def update(self, *args, **kwargs):
        for other in args:
            for k, v in other.items() if hasattr(other, 'items') else other:
                self.__dict__[k] = v
        for k, v in kwargs.items():
            self.__dict__[k] = v

    def __getitem__(self, k):
        return self.__dict__[k]

    def __setitem__(self, k, v):
        self.__dict__[k] = v

    def __delitem__(self, k):
        del self.__dict__[k]

    def __contains__(self, k):
        return k in self.__dict__

    def __iter__(self):
        return list(self.__dict__.keys())

    def __len__(self):
        return len(self.__dict__)

    def keys(self):
        return list(self.__dict__.keys())

    def values(self):
        return list(self.__dict__.values())

    def items(self):
        return list(self.__dict__.items())

    def get(self, k, default=None):
        return self.__dict__.get(k, default)

    def pop(self, k, *default):
        return self.__dict__.pop(k, *default)

    def setdefault(self, k, default=None):
        if k not in self.__dict__:
            self.__dict__[k] = default
        return self.__dict__[k]

    def copy(self):
        return dict(self.items())


class types_SimpleNamespace:
    def __init__(self, **kwargs):
        for k, v in kwargs.items():
            self.__dict__[k] = v


class easydict_EasyDict(standard_dict):
    def __init__(self, d=None, **kwargs):
        for k, v in list((d or {}).items()) + list(kwargs.items()):
            self.__dict__[k] = easydict_EasyDict(v) if isinstance(v, dict) else v


# ---- dataclasses --------------------------------------------------------------

def dataclasses_field(default=None, default_factory=None, **kwargs):
    """Evaluated anew for each object, so that it is the value itself."""
    return default_factory() if default_factory is not None else default


def dataclasses_asdict(record):
    return dict(record.__dict__.items())


# ---- what only training needs ---------------------------------------------------

class Idle:
    """An optimizer, a scheduler, a loader, a writer: made beside a model, never used by it."""

    def __init__(self, *args, **kwargs):
        pass

    def __getattr__(self, name):
        return idle

    def __iter__(self):
        return []

    def __len__(self):
        return 0


def idle(*args, **kwargs):
    return Idle()


# ---- collections, string, random --------------------------------------------

def collections_deque(values=(), maxlen=None):
    return list(values)


string_ascii_lowercase = 'abcdefghijklmnopqrstuvwxyz'
string_ascii_uppercase = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
string_ascii_letters = string_ascii_lowercase + string_ascii_uppercase
string_digits = '0123456789'
string_hexdigits = string_digits + 'abcdefABCDEF'
string_punctuation = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'
string_whitespace = ' \t\n\r\x0b\x0c'
string_printable = string_digits + string_ascii_letters + string_punctuation + string_whitespace
