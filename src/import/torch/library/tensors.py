# Functions of tensors in terms of others, as PyTorch's documentation defines
# them: torch.NAME(x, ...) and x.NAME(...).
import math
import torch


# ---- other names ------------------------------------------------------------

def torch_arccos(x):
    return torch.acos(x)


def torch_arcsin(x):
    return torch.asin(x)


def torch_arctan(x):
    return torch.atan(x)


def torch_arcsinh(x):
    return torch.asinh(x)


def torch_arccosh(x):
    return torch.acosh(x)


def torch_arctanh(x):
    return torch.atanh(x)


def torch_arctan2(x, y):
    return torch.atan2(x, y)


def torch_spmm(x, y):
    return torch.mm(x, y)


def torch_hspmm(x, y):
    return torch.mm(x, y)


def sparse_mm(x, y):
    return torch.mm(x, y)


def torch_less(x, y):
    return torch.lt(x, y)


def torch_less_equal(x, y):
    return torch.le(x, y)


def torch_greater(x, y):
    return torch.gt(x, y)


def torch_greater_equal(x, y):
    return torch.ge(x, y)


def torch_fix(x):
    return torch.trunc(x)


def torch_row_stack(tensors):
    return torch.vstack(tensors)


def torch_positive(x):
    return x


class Complex:
    """A complex tensor as two real ones, for rotations of embeddings. ONNX has none."""

    def __init__(self, real, imag):
        self.real = real
        self.imag = imag

    def both(self, name, args, kwargs):
        return Complex(getattr(self.real, name)(*args, **kwargs), getattr(self.imag, name)(*args, **kwargs))

    def __getattr__(self, name):
        if name in ('shape', 'ndim', 'device', 'size', 'dim', 'numel'):
            return getattr(self.real, name)
        if name in ('view', 'reshape', 'unsqueeze', 'squeeze', 'transpose', 'permute', 'expand', 'repeat', 'flatten',
                    'contiguous', 'clone', 'detach', 'sum', 'mean', 'repeat_interleave'):
            return lambda *args, **kwargs: self.both(name, args, kwargs)
        raise AttributeError('complex tensors have no ' + name + '() here')

    def to(self, *args, **kwargs):
        return self

    def cuda(self, device=None):
        return self

    def cpu(self):
        return self

    def conj(self):
        return Complex(self.real, -self.imag)

    def abs(self):
        return torch.sqrt(self.real * self.real + self.imag * self.imag)

    def angle(self):
        return torch.atan2(self.imag, self.real)

    def __getitem__(self, at):
        return Complex(self.real[at], self.imag[at])

    def __mul__(self, other):
        if isinstance(other, Complex):
            return Complex(self.real * other.real - self.imag * other.imag, self.real * other.imag + self.imag * other.real)
        return Complex(self.real * other, self.imag * other)

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        return Complex(self.real / other, self.imag / other)

    def __add__(self, other):
        if isinstance(other, Complex):
            return Complex(self.real + other.real, self.imag + other.imag)
        return Complex(self.real + other, self.imag)

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        return self + -other

    def __neg__(self):
        return Complex(-self.real, -self.imag)


def torch_complex(real, imag):
    return Complex(real, imag)


def torch_polar(abs, angle):
    return Complex(abs * torch.cos(angle), abs * torch.sin(angle))


def torch_view_as_complex(x):
    return Complex(x[..., 0], x[..., 1])


def torch_view_as_real(x):
    return torch.stack([x.real, x.imag], -1)


def torch_real(x):
    return x


def torch_conj(x):
    return x


# ---- elements ---------------------------------------------------------------

def torch_frac(x):
    return x - torch.trunc(x)


def torch_exp2(x):
    return torch.exp(x * math.log(2.0))


def torch_erfc(x):
    return 1 - torch.erf(x)


def torch_deg2rad(x):
    return x * (math.pi / 180)


def torch_rad2deg(x):
    return x * (180 / math.pi)


def torch_hypot(x, y):
    return torch.sqrt(x * x + y * y)


def torch_logaddexp(x, y):
    return torch.maximum(x, y) + torch.log1p(torch.exp(-torch.abs(x - y)))


def torch_xlogy(x, y):
    y = torch.as_tensor(y)
    return torch.where(x == 0, torch.zeros_like(x * y), x * torch.log(y))


def torch_sinc(x):
    y = torch.where(x == 0, torch.ones_like(x), x) * math.pi
    return torch.where(x == 0, torch.ones_like(x), torch.sin(y) / y)


def torch_sgn(x):
    return torch.sign(x)


def torch_heaviside(x, values):
    return torch.where(x == 0, values * torch.ones_like(x), (x > 0).to(x.dtype))


def torch_copysign(x, y):
    sign = torch.where(torch.as_tensor(y) < 0, -torch.ones_like(x), torch.ones_like(x))
    return torch.abs(x) * sign


def torch_fmax(x, y):
    return torch.maximum(x, y)


def torch_fmin(x, y):
    return torch.minimum(x, y)


def torch_isclose(x, y, rtol=1e-05, atol=1e-08, equal_nan=False):
    return torch.abs(x - y) <= atol + rtol * torch.abs(y)


def torch_isin(elements, test_elements):
    return (elements.unsqueeze(-1) == test_elements.flatten()).any(-1)


def torch_bucketize(x, boundaries, right=False):
    x = x.unsqueeze(-1)
    below = (boundaries <= x) if right else (boundaries < x)
    return below.long().sum(-1)


# ---- reductions -------------------------------------------------------------

def torch_nansum(x, dim=None, keepdim=False):
    x = torch.where(torch.isnan(x), torch.zeros_like(x), x)
    return x.sum() if dim is None else x.sum(dim, keepdim)


def torch_nanmean(x, dim=None, keepdim=False):
    n = torch.logical_not(torch.isnan(x)).to(x.dtype)
    return torch.nansum(x, dim, keepdim) / (n.sum() if dim is None else n.sum(dim, keepdim))


def torch_count_nonzero(x, dim=None):
    n = (x != 0).long()
    return n.sum() if dim is None else n.sum(dim)


def torch_aminmax(x, dim=None, keepdim=False):
    if dim is None:
        return x.min(), x.max()
    return x.amin(dim, keepdim), x.amax(dim, keepdim)


def torch_cov(x):
    y = x - x.mean(1, keepdim=True)
    return y @ y.t() / (x.size(1) - 1)


def torch_logcumsumexp(x, dim):
    m = x.amax(dim, keepdim=True)
    return torch.log(torch.cumsum(torch.exp(x - m), dim)) + m


# ---- shapes -----------------------------------------------------------------

def torch_ravel(x):
    return x.reshape(-1)


def torch_fliplr(x):
    return x.flip([1])


def torch_flipud(x):
    return x.flip([0])


def torch_rot90(x, k=1, dims=(0, 1)):
    k = k % 4
    if k == 1:
        return x.transpose(dims[0], dims[1]).flip([dims[0]])
    if k == 2:
        return x.flip([dims[0], dims[1]])
    return x.transpose(dims[0], dims[1]).flip([dims[1]]) if k == 3 else x


def torch_atleast_1d(x):
    return x.reshape(1) if x.dim() == 0 else x


def torch_atleast_2d(x):
    return x.reshape(1, -1) if x.dim() < 2 else x


def torch_atleast_3d(x):
    x = torch.atleast_2d(x)
    return x.unsqueeze(-1) if x.dim() == 2 else x


def torch_tensor_split(x, parts, dim=0):
    n = x.size(dim)
    if isinstance(parts, int):
        sizes = [n // parts + (1 if i < n % parts else 0) for i in range(parts)]
        return x.split(sizes, dim)
    ends = list(parts) + [n]
    starts = [0] + list(parts)
    return tuple([x.narrow(dim, a, b - a) for a, b in zip(starts, ends)])


def torch_hsplit(x, parts):
    return torch.tensor_split(x, parts, 0 if x.dim() == 1 else 1)


def torch_vsplit(x, parts):
    return torch.tensor_split(x, parts, 0)


def torch_broadcast_tensors(*tensors):
    total = tensors[0]
    for t in tensors[1:]:
        total = total + t * 0
    return [t.expand(total.shape) for t in tensors]


def torch_sum_to_size(x, *size):
    size = size[0] if isinstance(size[0], (list, tuple)) else size
    while x.dim() > len(size):
        x = x.sum(0)
    for i, n in enumerate(size):
        if n == 1:
            x = x.sum(i, keepdim=True)
    return x


def tensor_split(self, split_size, dim=0):
    return torch.split(self, split_size, dim)


def tensor_new_tensor(self, data, dtype=None, device=None):
    return torch.tensor(data, dtype=dtype if dtype is not None else self.dtype)


def tensor_stride(self, dim=None):
    strides = []
    n = 1
    for size in list(self.shape)[::-1]:
        strides = [n] + strides
        n *= size
    return tuple(strides) if dim is None else strides[dim]


def tensor_element_size(self):
    return 4


# ---- matrices ---------------------------------------------------------------

def torch_index_add(x, dim, index, source, alpha=1):
    y = x.transpose(0, dim).clone()
    return y.index_put((index,), alpha * source.transpose(0, dim), accumulate=True).transpose(0, dim)


def tensor_index_add_(self, dim, index, source, alpha=1):
    return self.copy_(torch_index_add(self, dim, index, source, alpha))


def torch_trace(x):
    return torch.diagonal(x).sum()


def torch_diag_embed(x, offset=0, dim1=-2, dim2=-1):
    n = x.size(-1)
    return x.unsqueeze(-1) * torch.eye(n, dtype=x.dtype)


def torch_diag(x, diagonal=0):
    return torch.diagonal(x, diagonal) if x.dim() == 2 else torch.diag_embed(x)


def torch_inner(x, y):
    return (x * y).sum(-1) if y.dim() == 1 else x @ y.transpose(-2, -1)


def torch_vdot(x, y):
    return (x * y).sum()


def torch_addr(x, a, b, beta=1, alpha=1):
    return beta * x + alpha * torch.outer(a, b)


def torch_addbmm(x, a, b, beta=1, alpha=1):
    return beta * x + alpha * torch.bmm(a, b).sum(0)


def torch_chain_matmul(*matrices):
    out = matrices[0]
    for m in matrices[1:]:
        out = out @ m
    return out


def torch_matrix_power(x, n):
    out = torch.eye(x.size(-1), dtype=x.dtype)
    for _ in range(n):
        out = out @ x
    return out


def torch_kron(x, y):
    a, b = x.shape
    c, d = y.shape
    return (x.reshape(a, 1, b, 1) * y.reshape(1, c, 1, d)).reshape(a * c, b * d)


def torch_cross(x, y, dim=-1):
    a, b, c = x.unbind(dim)
    d, e, f = y.unbind(dim)
    return torch.stack([b * f - c * e, c * d - a * f, a * e - b * d], dim)


def torch_block_diag(*tensors):
    width = sum([t.size(1) for t in tensors])
    rows = []
    at = 0
    for t in tensors:
        rows.append(torch.nn.functional.pad(t, (at, width - at - t.size(1))))
        at += t.size(1)
    return torch.cat(rows, 0)


def torch_tensordot(a, b, dims=2):
    if isinstance(dims, int):
        left = list(range(a.dim() - dims, a.dim()))
        right = list(range(dims))
    else:
        left = [d % a.dim() for d in (dims[0] if isinstance(dims[0], (list, tuple)) else [dims[0]])]
        right = [d % b.dim() for d in (dims[1] if isinstance(dims[1], (list, tuple)) else [dims[1]])]
    keep = [d for d in range(a.dim()) if d not in left]
    rest = [d for d in range(b.dim()) if d not in right]
    n = 1
    for d in left:
        n *= a.size(d)
    shape = [a.size(d) for d in keep] + [b.size(d) for d in rest]
    return (a.permute(keep + left).reshape(-1, n) @ b.permute(right + rest).reshape(n, -1)).reshape(shape)


def torch_tril_indices(row, col, offset=0, dtype=None, device=None):
    at = [(i, j) for i in range(row) for j in range(col) if j <= i + offset]
    return torch.tensor([[i for i, _ in at], [j for _, j in at]])


def torch_triu_indices(row, col, offset=0, dtype=None, device=None):
    at = [(i, j) for i in range(row) for j in range(col) if j >= i + offset]
    return torch.tensor([[i for i, _ in at], [j for _, j in at]])


def torch_cartesian_prod(*tensors):
    grids = torch.meshgrid(*tensors, indexing='ij')
    return torch.stack([g.reshape(-1) for g in grids], 1)


def torch_logspace(start, end, steps=100, base=10.0, dtype=None, device=None):
    return torch.pow(base, torch.linspace(start, end, steps))


# ---- windows ----------------------------------------------------------------

def functional_fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    height, width = (output_size, output_size) if isinstance(output_size, int) else output_size
    kh, kw = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    dh, dw = (dilation, dilation) if isinstance(dilation, int) else dilation
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    rows = (height + 2 * ph - dh * (kh - 1) - 1) // sh + 1
    columns = (width + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    n, c = input.size(0), input.size(1) // (kh * kw)
    weight = torch.eye(kh * kw).reshape(kh * kw, 1, kh, kw)
    x = input.reshape(n * c, kh * kw, rows, columns)
    more = (height - ((rows - 1) * sh - 2 * ph + dh * (kh - 1) + 1), width - ((columns - 1) * sw - 2 * pw + dw * (kw - 1) + 1))
    x = torch.nn.functional.conv_transpose2d(x, weight, None, (sh, sw), (ph, pw), more, 1, (dh, dw))
    return x.reshape(n, c, height, width)


def functional_max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    kh, kw = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    stride = kernel_size if stride is None else stride
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    n, c, h, w = input.shape
    if output_size is None:
        output_size = ((h - 1) * sh - 2 * ph + kh, (w - 1) * sw - 2 * pw + kw)
    height, width = list(output_size)[-2:]
    zeros = torch.zeros(n, c, height * width, dtype=input.dtype)
    return zeros.scatter(2, indices.reshape(n, c, -1), input.reshape(n, c, -1)).reshape(n, c, height, width)
