# torch.nn: the modules of PyTorch as their documentation (docs.pytorch.org)
# describes them, with the names that state_dicts and pickled modules use. Only
# what inference needs.
import math
import torch
import torch.nn.functional as F


def Parameter_of(*size):
    return torch.nn.Parameter(torch.empty(*size))


def retype(module, dtype):
    """What is created with dtype=..., and what .double() makes of it."""
    if dtype is None:
        return module
    for m in module.modules():
        for name, v in list(m.__dict__.items()):
            if torch.is_tensor(v) and torch.is_floating_point(v):
                is_parameter = isinstance(v, torch.nn.Parameter)
                v = v.to(dtype)
                setattr(m, name, torch.nn.Parameter(v) if is_parameter else torch._stoker.buffer(v))
    return module


def _single(x):
    return tuple(x) if isinstance(x, (list, tuple)) else (x,)


def _pair(x):
    return tuple(x) if isinstance(x, (list, tuple)) else (x, x)


def _triple(x):
    return tuple(x) if isinstance(x, (list, tuple)) else (x, x, x)


def _quadruple(x):
    return tuple(x) if isinstance(x, (list, tuple)) else (x, x, x, x)


def _ntuple(n, name=None):
    return lambda x: tuple(x) if isinstance(x, (list, tuple)) else (x,) * n


class Module:
    training = False
    _normed = None
    _before = None
    _behind = None

    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args, **kwargs):
        if self._normed is not None:
            self._normed(self)
        for hook in self._before or []:
            changed = hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        out = self.forward(*args, **kwargs)
        for hook in self._behind or []:
            changed = hook(self, args, out)
            if changed is not None:
                out = changed
        return out

    def forward(self, *args):
        raise NotImplementedError('forward')

    def add_module(self, name, module):
        setattr(self, name, module)

    def register_module(self, name, module):
        setattr(self, name, module)

    def register_parameter(self, name, param):
        setattr(self, name, param)

    def register_buffer(self, name, tensor, persistent=True):
        if isinstance(tensor, Complex):
            setattr(self, name, tensor)
            return
        setattr(self, name, torch._stoker.buffer(tensor) if persistent else torch._stoker.transient(tensor))

    @property
    def _modules(self):
        return ModuleTable(self)

    @property
    def _parameters(self):
        return ParameterTable(self)

    def children(self):
        return [m for _, m in torch._stoker.children(self)]

    def named_children(self):
        return torch._stoker.children(self)

    def named_modules(self, memo=None, prefix='', remove_duplicate=True):
        out = [(prefix, self)]
        for name, m in torch._stoker.children(self):
            out += m.named_modules(None, prefix + ('.' if prefix else '') + name)
        return out

    def modules(self):
        return [m for _, m in self.named_modules()]

    def parameters(self, recurse=True):
        return [p for _, p in self.named_parameters()]

    def named_parameters(self, prefix='', recurse=True):
        out = []
        for name, m in self.named_modules():
            for key, p in torch._stoker.parameters(m):
                out.append((name + ('.' if name else '') + key, p))
        return out

    def named_buffers(self):
        return []

    def buffers(self):
        return []

    def apply(self, fn):
        for m in self.children():
            m.apply(fn)
        fn(self)
        return self

    def get_submodule(self, target):
        m = self
        for part in target.split('.'):
            m = getattr(m, part)
        return m

    def train(self, mode=True):
        return self

    def eval(self):
        return self

    def to(self, *args, **kwargs):
        return self

    def cuda(self, device=None):
        return self

    def cpu(self):
        return self

    def float(self):
        return self

    def half(self):
        return self

    def double(self):
        return retype(self, torch.float64)

    def requires_grad_(self, requires_grad=True):
        return self

    def zero_grad(self):
        pass

    def state_dict(self):
        return {}

    def load_state_dict(self, state_dict, strict=True):
        pass

    def register_forward_hook(self, hook):
        self._behind = (self._behind or []) + [hook]
        return Hook()

    def register_forward_pre_hook(self, hook):
        self._before = (self._before or []) + [hook]
        return Hook()

    def _register_load_state_dict_pre_hook(self, hook):
        pass

    def extra_repr(self):
        return ''


class Hook:
    """What register_forward_hook() gives back."""

    def remove(self):
        pass


class AttributeTable:
    """Some of a module's attributes by name, to look at and to change."""

    def __init__(self, owner):
        self.owner = owner

    def keys(self):
        return [name for name, _ in self.items()]

    def values(self):
        return [v for _, v in self.items()]

    def __iter__(self):
        return self.keys()

    def __len__(self):
        return len(self.items())

    def __contains__(self, name):
        return name in self.keys()

    def __getitem__(self, name):
        return getattr(self.owner, name)

    def __setitem__(self, name, v):
        setattr(self.owner, name, v)

    def __delitem__(self, name):
        delattr(self.owner, name)

    def pop(self, name):
        v = getattr(self.owner, name)
        delattr(self.owner, name)
        return v


class ParameterTable(AttributeTable):
    """What _parameters is: those of one module, without its children's."""

    def items(self):
        return torch._stoker.parameters(self.owner)


# torch.nn.utils: weights that are computed from others before each call

def norm_but(v, dim):
    return v.norm() if dim is None else v.norm(2, [i for i in range(v.dim()) if i != dim], True)


def weight_norm(module, name='weight', dim=0):
    w = getattr(module, name)
    shape = [] if dim is None else [w.size(i) if i == dim else 1 for i in range(w.dim())]
    setattr(module, name + '_g', Parameter_of(shape))
    setattr(module, name + '_v', Parameter_of(list(w.shape)))
    delattr(module, name)
    setattr(module, name, torch.empty(w.shape))  # until it is computed: constructors look at it

    def compute(m):
        v = getattr(m, name + '_v')
        setattr(m, name, v * (getattr(m, name + '_g') / norm_but(v, dim)))

    module._normed = compute
    return module


def spectral_norm(module, name='weight', n_power_iterations=1, eps=1e-12, dim=None):
    w = getattr(module, name)
    dim = dim if dim is not None else 1 if type(module).__name__.startswith('ConvTranspose') else 0
    setattr(module, name + '_orig', Parameter_of(list(w.shape)))
    module.register_buffer(name + '_u', torch.empty(w.size(dim)))
    module.register_buffer(name + '_v', torch.empty(w.numel() // w.size(dim)))
    delattr(module, name)
    setattr(module, name, torch.empty(w.shape))  # until it is computed: constructors look at it

    def compute(m):
        w = getattr(m, name + '_orig')
        matrix = w.transpose(0, dim).flatten(1) if dim else w.flatten(1)
        sigma = torch.dot(getattr(m, name + '_u'), torch.mv(matrix, getattr(m, name + '_v')))
        setattr(m, name, w / sigma)

    module._normed = compute
    return module


def remove_weight_norm(module, name='weight'):
    return module


def parametrizations_weight_norm(module, name='weight', dim=0):
    w = getattr(module, name)
    inner, outer = Module(), Module()
    shape = [w.size(i) if i == dim else 1 for i in range(w.dim())]
    inner.original0 = Parameter_of(shape)
    inner.original1 = Parameter_of(list(w.shape))
    setattr(outer, name, inner)
    module.parametrizations = outer
    delattr(module, name)
    setattr(module, name, torch.empty(w.shape))  # until it is computed: constructors look at it

    def compute(m):
        p = getattr(m.parametrizations, name)
        setattr(m, name, p.original1 * (p.original0 / norm_but(p.original1, dim)))

    module._normed = compute
    return module


class Identity(Module):
    def __init__(self, *args, **kwargs):
        pass

    def forward(self, input):
        return input


# containers

class ModuleTable(AttributeTable):
    """What _modules is: the children by name."""

    def items(self):
        return torch._stoker.children(self.owner)


class Numbered(Module):
    """Children in a row."""

    def name_of(self, i):
        return self.named_children()[i][0]

    def renew(self, modules):
        for name, _ in self.named_children():
            delattr(self, name)
        for i, m in enumerate(modules):
            setattr(self, str(i), m)

    def __iter__(self):
        return self.children()

    def __len__(self):
        return len(self.children())

    def __setitem__(self, i, m):
        if isinstance(i, slice):
            for one, other in zip(self.named_children()[i], m):
                setattr(self, one[0], other)
        else:
            setattr(self, self.name_of(i), m)

    def __delitem__(self, i):
        names = [name for name, _ in (self.named_children()[i] if isinstance(i, slice) else [self.named_children()[i]])]
        self.renew([m for name, m in self.named_children() if name not in names])

    def append(self, module):
        setattr(self, str(len(self)), module)
        return self

    def extend(self, modules):
        for m in modules:
            self.append(m)
        return self

    def insert(self, i, module):
        modules = self.children()
        modules.insert(i, module)
        self.renew(modules)
        return self

    def pop(self, i):
        m = self.children()[i]
        del self[i]
        return m


class Sequential(Numbered):
    def __init__(self, *args):
        if len(args) == 1 and isinstance(args[0], dict):
            for key, m in args[0].items():
                setattr(self, key, m)
        else:
            for i, m in enumerate(args):
                setattr(self, str(i), m)

    def forward(self, input):
        for m in self.children():
            input = m(input)
        return input

    def __getitem__(self, i):
        if isinstance(i, slice):
            return Sequential(dict(self.named_children()[i]))
        return self.children()[i]

    def __add__(self, other):
        return Sequential(*(self.children() + other.children()))


class ModuleList(Numbered):
    def __init__(self, modules=None):
        for i, m in enumerate(modules if modules is not None else []):
            setattr(self, str(i), m)

    def __getitem__(self, i):
        return ModuleList(self.children()[i]) if isinstance(i, slice) else self.children()[i]

    def __add__(self, other):
        return ModuleList(self.children() + [m for m in other])


class ModuleDict(Module):
    def __init__(self, modules=None):
        self.update(modules if modules is not None else {})

    def update(self, modules):
        for key, m in (modules.items() if isinstance(modules, (dict, ModuleDict)) else modules):
            setattr(self, key, m)

    def __iter__(self):
        return [key for key, _ in self.named_children()]

    def __len__(self):
        return len(self.children())

    def __contains__(self, key):
        return key in [k for k, _ in self.named_children()]

    def __getitem__(self, key):
        return getattr(self, key)

    def __setitem__(self, key, m):
        setattr(self, key, m)

    def items(self):
        return self.named_children()

    def keys(self):
        return [key for key, _ in self.named_children()]

    def values(self):
        return self.children()


class ParameterList(Module):
    def __init__(self, values=None):
        for i, p in enumerate(values if values is not None else []):
            setattr(self, str(i), torch.nn.Parameter(p))

    def all(self):
        return [p for _, p in torch._stoker.parameters(self)]

    def __iter__(self):
        return self.all()

    def __len__(self):
        return len(self.all())

    def __getitem__(self, i):
        return self.all()[i]

    def append(self, p):
        setattr(self, str(len(self)), torch.nn.Parameter(p))
        return self


class ParameterDict(Module):
    def __init__(self, parameters=None):
        for key, p in (parameters if parameters is not None else {}).items():
            setattr(self, key, torch.nn.Parameter(p))

    def __getitem__(self, key):
        return getattr(self, key)

    def __setitem__(self, key, p):
        setattr(self, key, torch.nn.Parameter(p))

    def __contains__(self, key):
        return hasattr(self, key)

    def items(self):
        return torch._stoker.parameters(self)


class DataParallel(Module):
    def __init__(self, module, device_ids=None, output_device=None, dim=0):
        self.module = module

    def forward(self, *args, **kwargs):
        return self.module(*args, **kwargs)


class DistributedDataParallel(DataParallel):
    pass


# linear

class Linear(Module):
    bias = None

    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter_of(out_features, in_features)
        self.bias = Parameter_of(out_features) if bias else None
        retype(self, dtype)

    def forward(self, input):
        return torch.linear(input, self.weight, self.bias)


class NonDynamicallyQuantizableLinear(Linear):
    pass


class Bilinear(Module):
    bias = None

    def __init__(self, in1_features, in2_features, out_features, bias=True, device=None, dtype=None):
        self.weight = Parameter_of(out_features, in1_features, in2_features)
        self.bias = Parameter_of(out_features) if bias else None
        retype(self, dtype)

    def forward(self, input1, input2):
        return torch.bilinear(input1, input2, self.weight, self.bias)


class Flatten(Module):
    start_dim = 1
    end_dim = -1

    def __init__(self, start_dim=1, end_dim=-1):
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input):
        return torch.flatten(input, self.start_dim, self.end_dim)


class Unflatten(Module):
    def __init__(self, dim, unflattened_size):
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input):
        return torch.unflatten(input, self.dim, self.unflattened_size)


class Embedding(Module):
    def __init__(self, num_embeddings, embedding_dim, padding_idx=None, max_norm=None, norm_type=2.0,
                 scale_grad_by_freq=False, sparse=False, _weight=None, _freeze=False, device=None, dtype=None):
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.weight = Parameter_of(num_embeddings, embedding_dim)
        retype(self, dtype)

    @classmethod
    def from_pretrained(cls, embeddings, freeze=True, padding_idx=None, max_norm=None, norm_type=2.0,
                        scale_grad_by_freq=False, sparse=False):
        rows, cols = embeddings.shape
        return cls(rows, cols, padding_idx)

    def forward(self, input):
        return torch.embedding(self.weight, input)


class EmbeddingBag(Module):
    mode = 'mean'

    def __init__(self, num_embeddings, embedding_dim, max_norm=None, norm_type=2.0, scale_grad_by_freq=False,
                 mode='mean', sparse=False, _weight=None, include_last_offset=False, padding_idx=None, device=None,
                 dtype=None):
        self.mode = mode
        self.weight = Parameter_of(num_embeddings, embedding_dim)
        retype(self, dtype)

    def forward(self, input, offsets=None, per_sample_weights=None):
        mode = ['sum', 'mean', 'max'].index(self.mode)
        return torch.embedding_bag(self.weight, input, offsets, False, mode)[0]


# convolution

def n_tuple(v, n):
    return tuple(v) if isinstance(v, (list, tuple)) else (v,) * n


class _ConvNd(Module):
    bias = None
    padding_mode = 'zeros'

    def setup(self, n, transposed, in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding,
              groups, bias, padding_mode):
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = n_tuple(kernel_size, n)
        self.stride = n_tuple(stride, n)
        self.padding = padding if isinstance(padding, str) else n_tuple(padding, n)
        self.dilation = n_tuple(dilation, n)
        self.transposed = transposed
        self.output_padding = n_tuple(output_padding, n)
        self.groups = groups
        self.padding_mode = padding_mode
        if transposed:
            self.weight = Parameter_of(in_channels, out_channels // groups, *self.kernel_size)
        else:
            self.weight = Parameter_of(out_channels, in_channels // groups, *self.kernel_size)
        self.bias = Parameter_of(out_channels) if bias else None

    def convolve(self, n, input):
        padding = self.padding
        if self.padding_mode != 'zeros':
            sizes = []
            for i in range(n - 1, -1, -1):
                if padding == 'same':
                    total = self.dilation[i] * (self.kernel_size[i] - 1)
                    sizes += [total // 2, total - total // 2]
                else:
                    sizes += [padding[i], padding[i]]
            input = torch.pad(input, sizes, self.padding_mode)
            padding = 0
        if padding == 'valid':
            padding = 0
        return getattr(torch, 'conv%dd' % n)(input, self.weight, self.bias, self.stride, padding, self.dilation,
                                             self.groups)

    def convolve_back(self, n, input, output_size):
        extra = list(self.output_padding)
        if output_size is not None:
            output_size = list(output_size)[-n:]
            for i in range(n):
                least = (input.size(i + 2) - 1) * self.stride[i] - 2 * self.padding[i] \
                    + self.dilation[i] * (self.kernel_size[i] - 1) + 1
                extra[i] = output_size[i] - least
        return getattr(torch, 'conv_transpose%dd' % n)(input, self.weight, self.bias, self.stride, self.padding,
                                                       extra, self.groups, self.dilation)


class Conv1d(_ConvNd):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
                 padding_mode='zeros', device=None, dtype=None):
        self.setup(1, False, in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
                   padding_mode)
        retype(self, dtype)

    def forward(self, input):
        return self.convolve(1, input)


class Conv2d(_ConvNd):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
                 padding_mode='zeros', device=None, dtype=None):
        self.setup(2, False, in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
                   padding_mode)
        retype(self, dtype)

    def forward(self, input):
        return self.convolve(2, input)


class Conv3d(_ConvNd):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
                 padding_mode='zeros', device=None, dtype=None):
        self.setup(3, False, in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
                   padding_mode)
        retype(self, dtype)

    def forward(self, input):
        return self.convolve(3, input)


class ConvTranspose1d(_ConvNd):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1,
                 bias=True, dilation=1, padding_mode='zeros', device=None, dtype=None):
        self.setup(1, True, in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups,
                   bias, padding_mode)
        retype(self, dtype)

    def forward(self, input, output_size=None):
        return self.convolve_back(1, input, output_size)


class ConvTranspose2d(_ConvNd):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1,
                 bias=True, dilation=1, padding_mode='zeros', device=None, dtype=None):
        self.setup(2, True, in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups,
                   bias, padding_mode)
        retype(self, dtype)

    def forward(self, input, output_size=None):
        return self.convolve_back(2, input, output_size)


class ConvTranspose3d(_ConvNd):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1,
                 bias=True, dilation=1, padding_mode='zeros', device=None, dtype=None):
        self.setup(3, True, in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups,
                   bias, padding_mode)
        retype(self, dtype)

    def forward(self, input, output_size=None):
        return self.convolve_back(3, input, output_size)


# normalization

class _BatchNorm(Module):
    weight = None
    bias = None
    running_mean = None
    running_var = None
    eps = 1e-5
    momentum = 0.1
    track_running_stats = True

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, device=None,
                 dtype=None):
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.weight = Parameter_of(num_features) if affine else None
        self.bias = Parameter_of(num_features) if affine else None
        if track_running_stats:
            self.register_buffer('running_mean', torch.empty(num_features))
            self.register_buffer('running_var', torch.empty(num_features))
            self.register_buffer('num_batches_tracked', torch.tensor(0))
        retype(self, dtype)

    def forward(self, input):
        return torch.batch_norm(input, self.weight, self.bias, self.running_mean, self.running_var,
                                self.running_mean is None, 0.1, self.eps)


class BatchNorm1d(_BatchNorm):
    pass


class BatchNorm2d(_BatchNorm):
    pass


class BatchNorm3d(_BatchNorm):
    pass


class SyncBatchNorm(_BatchNorm):
    pass


class _InstanceNorm(Module):
    weight = None
    bias = None
    running_mean = None
    running_var = None
    eps = 1e-5

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=False, track_running_stats=False, device=None,
                 dtype=None):
        self.num_features = num_features
        self.eps = eps
        self.weight = Parameter_of(num_features) if affine else None
        self.bias = Parameter_of(num_features) if affine else None
        if track_running_stats:
            self.register_buffer('running_mean', torch.empty(num_features))
            self.register_buffer('running_var', torch.empty(num_features))
            self.register_buffer('num_batches_tracked', torch.tensor(0))
        retype(self, dtype)

    def forward(self, input):
        return torch.instance_norm(input, self.weight, self.bias, self.running_mean, self.running_var,
                                   self.running_mean is None, 0.1, self.eps)


class InstanceNorm1d(_InstanceNorm):
    pass


class InstanceNorm2d(_InstanceNorm):
    pass


class InstanceNorm3d(_InstanceNorm):
    pass


class LayerNorm(Module):
    weight = None
    bias = None

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, bias=True, device=None, dtype=None):
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.weight = Parameter_of(*self.normalized_shape) if elementwise_affine else None
        self.bias = Parameter_of(*self.normalized_shape) if elementwise_affine and bias else None
        retype(self, dtype)

    def forward(self, input):
        return torch.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)


class RMSNorm(Module):
    weight = None

    def __init__(self, normalized_shape, eps=None, elementwise_affine=True, device=None, dtype=None):
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.weight = Parameter_of(*self.normalized_shape) if elementwise_affine else None
        retype(self, dtype)

    def forward(self, input):
        return torch.rms_norm(input, self.normalized_shape, self.weight, self.eps)


class GroupNorm(Module):
    weight = None
    bias = None

    def __init__(self, num_groups, num_channels, eps=1e-5, affine=True, device=None, dtype=None):
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.weight = Parameter_of(num_channels) if affine else None
        self.bias = Parameter_of(num_channels) if affine else None
        retype(self, dtype)

    def forward(self, input):
        return torch.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)


class LocalResponseNorm(Module):
    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0):
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input):
        return torch.local_response_norm(input, self.size, self.alpha, self.beta, self.k)


# pooling

class _MaxPool(Module):
    return_indices = False
    ceil_mode = False
    dilation = 1
    padding = 0

    def __init__(self, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False):
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input):
        return getattr(F, self.function)(input, self.kernel_size, self.stride, self.padding, self.dilation,
                                         self.ceil_mode, self.return_indices)


class MaxPool1d(_MaxPool):
    function = 'max_pool1d'


class MaxPool2d(_MaxPool):
    function = 'max_pool2d'


class MaxPool3d(_MaxPool):
    function = 'max_pool3d'


class _AvgPool(Module):
    ceil_mode = False
    count_include_pad = True
    divisor_override = None

    def __init__(self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
                 divisor_override=None):
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input):
        return getattr(torch, self.function)(input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
                                             self.count_include_pad, self.divisor_override)


class AvgPool1d(_AvgPool):
    function = 'avg_pool1d'


class AvgPool2d(_AvgPool):
    function = 'avg_pool2d'


class AvgPool3d(_AvgPool):
    function = 'avg_pool3d'


class _AdaptivePool(Module):
    def __init__(self, output_size, return_indices=False):
        self.output_size = output_size

    def forward(self, input):
        return getattr(F, self.function)(input, self.output_size)


class AdaptiveAvgPool1d(_AdaptivePool):
    function = 'adaptive_avg_pool1d'


class AdaptiveAvgPool2d(_AdaptivePool):
    function = 'adaptive_avg_pool2d'


class AdaptiveAvgPool3d(_AdaptivePool):
    function = 'adaptive_avg_pool3d'


class AdaptiveMaxPool1d(_AdaptivePool):
    function = 'adaptive_max_pool1d'


class AdaptiveMaxPool2d(_AdaptivePool):
    function = 'adaptive_max_pool2d'


class AdaptiveMaxPool3d(_AdaptivePool):
    function = 'adaptive_max_pool3d'


class _LPPool(Module):
    def __init__(self, norm_type, kernel_size, stride=None, ceil_mode=False):
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input):
        return getattr(F, self.function)(input, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class LPPool1d(_LPPool):
    function = 'lp_pool1d'


class LPPool2d(_LPPool):
    function = 'lp_pool2d'


# padding

class _Pad(Module):
    mode = 'constant'
    value = 0

    def __init__(self, padding, value=0):
        self.padding = (padding,) * (2 * self.n) if isinstance(padding, int) else tuple(padding)
        self.value = value

    def forward(self, input):
        return torch.pad(input, self.padding, self.mode, self.value)


class ConstantPad1d(_Pad):
    n = 1


class ConstantPad2d(_Pad):
    n = 2


class ConstantPad3d(_Pad):
    n = 3


class ZeroPad1d(_Pad):
    n = 1


class ZeroPad2d(_Pad):
    n = 2


class ZeroPad3d(_Pad):
    n = 3


class ReflectionPad1d(_Pad):
    n = 1
    mode = 'reflect'


class ReflectionPad2d(_Pad):
    n = 2
    mode = 'reflect'


class ReflectionPad3d(_Pad):
    n = 3
    mode = 'reflect'


class ReplicationPad1d(_Pad):
    n = 1
    mode = 'replicate'


class ReplicationPad2d(_Pad):
    n = 2
    mode = 'replicate'


class ReplicationPad3d(_Pad):
    n = 3
    mode = 'replicate'


class CircularPad1d(_Pad):
    n = 1
    mode = 'circular'


class CircularPad2d(_Pad):
    n = 2
    mode = 'circular'


# activations

class ReLU(Module):
    inplace = False

    def __init__(self, inplace=False):
        self.inplace = inplace

    def forward(self, input):
        return torch.relu_(input) if self.inplace else torch.relu(input)


class ReLU6(Module):
    def __init__(self, inplace=False):
        self.inplace = inplace

    def forward(self, input):
        return torch.relu6(input)


class _Plain(Module):
    def __init__(self, inplace=False):
        pass

    def forward(self, input):
        return getattr(torch, self.function)(input)


class Sigmoid(_Plain):
    function = 'sigmoid'


class Tanh(_Plain):
    function = 'tanh'


class SiLU(_Plain):
    function = 'silu'


class Mish(_Plain):
    function = 'mish'


class SELU(_Plain):
    function = 'selu'


class Hardswish(_Plain):
    function = 'hardswish'


class Hardsigmoid(_Plain):
    function = 'hardsigmoid'


class LogSigmoid(_Plain):
    function = 'log_sigmoid'


class Softsign(_Plain):
    function = 'softsign'


class Tanhshrink(_Plain):
    function = 'tanhshrink'


class LeakyReLU(Module):
    negative_slope = 0.01

    def __init__(self, negative_slope=0.01, inplace=False):
        self.negative_slope = negative_slope

    def forward(self, input):
        return torch.leaky_relu(input, self.negative_slope)


class ELU(Module):
    alpha = 1.0

    def __init__(self, alpha=1.0, inplace=False):
        self.alpha = alpha

    def forward(self, input):
        return torch.elu(input, self.alpha)


class CELU(Module):
    alpha = 1.0

    def __init__(self, alpha=1.0, inplace=False):
        self.alpha = alpha

    def forward(self, input):
        return torch.celu(input, self.alpha)


class GELU(Module):
    approximate = 'none'

    def __init__(self, approximate='none'):
        self.approximate = approximate

    def forward(self, input):
        return torch.gelu(input, self.approximate)


class RReLU(Module):
    def __init__(self, lower=0.125, upper=0.3333333333333333, inplace=False):
        self.lower = lower
        self.upper = upper

    def forward(self, input):
        return torch.rrelu(input, self.lower, self.upper)


class PReLU(Module):
    def __init__(self, num_parameters=1, init=0.25, device=None, dtype=None):
        self.num_parameters = num_parameters
        self.weight = Parameter_of(num_parameters)
        retype(self, dtype)

    def forward(self, input):
        return torch.prelu(input, self.weight)


class Hardtanh(Module):
    def __init__(self, min_val=-1.0, max_val=1.0, inplace=False, min_value=None, max_value=None):
        self.min_val = min_val
        self.max_val = max_val

    def forward(self, input):
        return torch.clamp(input, self.min_val, self.max_val)


class Softplus(Module):
    beta = 1.0
    threshold = 20.0

    def __init__(self, beta=1.0, threshold=20.0):
        self.beta = beta
        self.threshold = threshold

    def forward(self, input):
        return torch.softplus(input, self.beta, self.threshold)


class Softshrink(Module):
    def __init__(self, lambd=0.5):
        self.lambd = lambd

    def forward(self, input):
        return torch.softshrink(input, self.lambd)


class Hardshrink(Module):
    def __init__(self, lambd=0.5):
        self.lambd = lambd

    def forward(self, input):
        return torch.hardshrink(input, self.lambd)


class Threshold(Module):
    def __init__(self, threshold, value, inplace=False):
        self.threshold = threshold
        self.value = value

    def forward(self, input):
        return torch.threshold(input, self.threshold, self.value)


class GLU(Module):
    dim = -1

    def __init__(self, dim=-1):
        self.dim = dim

    def forward(self, input):
        return torch.glu(input, self.dim)


class Softmax(Module):
    dim = None

    def __init__(self, dim=None):
        self.dim = dim

    def forward(self, input):
        return torch.softmax(input, self.dim)


class LogSoftmax(Module):
    dim = None

    def __init__(self, dim=None):
        self.dim = dim

    def forward(self, input):
        return torch.log_softmax(input, self.dim)


class Softmin(Module):
    dim = None

    def __init__(self, dim=None):
        self.dim = dim

    def forward(self, input):
        return torch.softmax(-input, self.dim)


class Softmax2d(Module):
    def forward(self, input):
        return torch.softmax(input, -3)


class Dropout(Module):
    def __init__(self, p=0.5, inplace=False):
        self.p = p

    def forward(self, input):
        return input


class Dropout1d(Dropout):
    pass


class Dropout2d(Dropout):
    pass


class Dropout3d(Dropout):
    pass


class AlphaDropout(Dropout):
    pass


class FeatureAlphaDropout(Dropout):
    pass


# images

class Upsample(Module):
    size = None
    scale_factor = None
    align_corners = None
    recompute_scale_factor = None

    def __init__(self, size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None):
        self.size = size
        self.scale_factor = scale_factor
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input):
        return F.interpolate(input, self.size, self.scale_factor, self.mode, self.align_corners,
                             self.recompute_scale_factor)


class UpsamplingNearest2d(Upsample):
    def __init__(self, size=None, scale_factor=None):
        super().__init__(size, scale_factor, 'nearest')


class UpsamplingBilinear2d(Upsample):
    def __init__(self, size=None, scale_factor=None):
        super().__init__(size, scale_factor, 'bilinear', True)


class PixelShuffle(Module):
    def __init__(self, upscale_factor):
        self.upscale_factor = upscale_factor

    def forward(self, input):
        return torch.pixel_shuffle(input, self.upscale_factor)


class PixelUnshuffle(Module):
    def __init__(self, downscale_factor):
        self.downscale_factor = downscale_factor

    def forward(self, input):
        return torch.pixel_unshuffle(input, self.downscale_factor)


class ChannelShuffle(Module):
    def __init__(self, groups):
        self.groups = groups

    def forward(self, input):
        return torch.channel_shuffle(input, self.groups)


class Unfold(Module):
    def __init__(self, kernel_size, dilation=1, padding=0, stride=1):
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input):
        return torch.im2col(input, self.kernel_size, self.dilation, self.padding, self.stride)


class CosineSimilarity(Module):
    def __init__(self, dim=1, eps=1e-8):
        self.dim = dim
        self.eps = eps

    def forward(self, x1, x2):
        return torch.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    def __init__(self, p=2.0, eps=1e-6, keepdim=False):
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1, x2):
        return torch.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


# recurrent

class PackedSequence:
    """Sequences of several lengths: padded, time first, and how long each is."""

    def __init__(self, data, lengths):
        self.data = data
        self.lengths = lengths
        self.batch_sizes = lengths

    def to(self, *args, **kwargs):
        return self

    def cuda(self):
        return self

    def cpu(self):
        return self


def rnn_pack_padded_sequence(input, lengths, batch_first=False, enforce_sorted=True):
    return PackedSequence(input.transpose(0, 1) if batch_first else input, torch.as_tensor(lengths))


def rnn_pad_packed_sequence(sequence, batch_first=False, padding_value=0.0, total_length=None):
    data = sequence.data
    if padding_value != 0.0:
        steps = torch.arange(data.size(0)).unsqueeze(1)
        data = data.masked_fill((steps >= sequence.lengths.unsqueeze(0)).unsqueeze(-1), padding_value)
    return (data.transpose(0, 1) if batch_first else data), sequence.lengths


def rnn_pad_sequence(sequences, batch_first=False, padding_value=0.0):
    return torch.stack(list(sequences), 0 if batch_first else 1)


class RNNBase(Module):
    bias = True
    batch_first = False
    bidirectional = False
    proj_size = 0
    gates = 1

    def __init__(self, input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0,
                 bidirectional=False, proj_size=0, nonlinearity='tanh', device=None, dtype=None):
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self.nonlinearity = nonlinearity
        rows = self.gates * hidden_size
        ways = 2 if bidirectional else 1
        state = proj_size or hidden_size
        for layer in range(num_layers):
            for suffix in ['', '_reverse'][:ways]:
                name = 'l%d%s' % (layer, suffix)
                width = input_size if layer == 0 else state * ways
                setattr(self, 'weight_ih_' + name, Parameter_of(rows, width))
                setattr(self, 'weight_hh_' + name, Parameter_of(rows, state))
                if proj_size:
                    setattr(self, 'weight_hr_' + name, Parameter_of(proj_size, hidden_size))
                if bias:
                    setattr(self, 'bias_ih_' + name, Parameter_of(rows))
                    setattr(self, 'bias_hh_' + name, Parameter_of(rows))
        retype(self, dtype)

    def flatten_parameters(self):
        pass

    def flat(self):
        out = []
        for layer in range(self.num_layers):
            for suffix in ['', '_reverse'][:2 if self.bidirectional else 1]:
                name = 'l%d%s' % (layer, suffix)
                out += [getattr(self, 'weight_ih_' + name), getattr(self, 'weight_hh_' + name)]
                if self.bias:
                    out += [getattr(self, 'bias_ih_' + name), getattr(self, 'bias_hh_' + name)]
                if self.proj_size:
                    out += [getattr(self, 'weight_hr_' + name)]
        return out

    def zeros(self, input, width=None):
        width = width or self.hidden_size
        n = self.num_layers * (2 if self.bidirectional else 1)
        if isinstance(input, PackedSequence):
            return torch.zeros(n, input.data.size(1), width, dtype=input.data.dtype)
        if input.dim() == 2:
            return torch.zeros(n, width, dtype=input.dtype)
        return torch.zeros(n, input.size(0 if self.batch_first else 1), width, dtype=input.dtype)

    def run(self, function, input, hx):
        if isinstance(input, PackedSequence):
            out = function(input.data, hx, self.flat(), bool(self.bias), self.num_layers, 0.0, False,
                           self.bidirectional, False, input.lengths)
            return (PackedSequence(out[0], input.lengths),) + tuple(out[1:])
        return function(input, hx, self.flat(), bool(self.bias), self.num_layers, 0.0, False, self.bidirectional,
                        self.batch_first)


def projected_lstm(input, hx, params, biases, layers, both, batch_first):
    """LSTM with proj_size: h = W_hr (o * tanh(c)). ONNX has no such layer, so its steps are written out."""
    bare = input.dim() == 2
    x = input.unsqueeze(1) if bare else input.transpose(0, 1) if batch_first else input
    step = 5 if biases else 3
    hidden, cells = [], []
    for layer in range(layers):
        ys = []
        for way in range(2 if both else 1):
            at = layer * (2 if both else 1) + way
            p = params[at * step:at * step + step]
            h, c = hx[0][at], hx[1][at]
            if bare:
                h, c = h.unsqueeze(0), c.unsqueeze(0)
            gates = torch.matmul(x, p[0].t())
            if biases:
                gates = gates + (p[2] + p[3])
            times = list(range(x.size(0)))
            outs = [None] * len(times)
            for t in reversed(times) if way else times:
                i, f, g, o = (gates[t] + torch.matmul(h, p[1].t())).chunk(4, -1)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.matmul(torch.sigmoid(o) * torch.tanh(c), p[-1].t())
                outs[t] = h
            ys.append(torch.stack(outs, 0))
            hidden.append(h)
            cells.append(c)
        x = torch.cat(ys, 2) if both else ys[0]
    h, c = torch.stack(hidden, 0), torch.stack(cells, 0)
    if bare:
        return x.squeeze(1), h.squeeze(1), c.squeeze(1)
    return (x.transpose(0, 1) if batch_first else x), h, c


class LSTM(RNNBase):
    gates = 4

    def forward(self, input, hx=None):
        if hx is None:
            hx = (self.zeros(input, self.proj_size), self.zeros(input))
        out, h, c = self.run(torch.lstm, input, list(hx))
        return out, (h, c)


class GRU(RNNBase):
    gates = 3

    def forward(self, input, hx=None):
        return self.run(torch.gru, input, self.zeros(input) if hx is None else hx)


class RNN(RNNBase):
    nonlinearity = 'tanh'

    def __init__(self, input_size, hidden_size, num_layers=1, nonlinearity='tanh', bias=True, batch_first=False,
                 dropout=0.0, bidirectional=False, device=None, dtype=None):
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0,
                         nonlinearity)
        retype(self, dtype)

    def forward(self, input, hx=None):
        function = torch.rnn_relu if self.nonlinearity == 'relu' else torch.rnn_tanh
        return self.run(function, input, self.zeros(input) if hx is None else hx)


class RNNCellBase(Module):
    gates = 1

    def __init__(self, input_size, hidden_size, bias=True, nonlinearity='tanh', device=None, dtype=None):
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.nonlinearity = nonlinearity
        self.weight_ih = Parameter_of(self.gates * hidden_size, input_size)
        self.weight_hh = Parameter_of(self.gates * hidden_size, hidden_size)
        self.bias_ih = Parameter_of(self.gates * hidden_size) if bias else None
        self.bias_hh = Parameter_of(self.gates * hidden_size) if bias else None
        retype(self, dtype)

    def zeros(self, input):
        return torch.zeros(*(list(input.shape[:-1]) + [self.hidden_size]))


class LSTMCell(RNNCellBase):
    gates = 4

    def forward(self, input, hx=None):
        if hx is None:
            hx = (self.zeros(input), self.zeros(input))
        return torch.lstm_cell(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)


class GRUCell(RNNCellBase):
    gates = 3

    def forward(self, input, hx=None):
        hx = self.zeros(input) if hx is None else hx
        return torch.gru_cell(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)


class RNNCell(RNNCellBase):
    nonlinearity = 'tanh'

    def forward(self, input, hx=None):
        hx = self.zeros(input) if hx is None else hx
        cell = torch.rnn_relu_cell if self.nonlinearity == 'relu' else torch.rnn_tanh_cell
        return cell(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)


# attention

class MultiheadAttention(Module):
    in_proj_weight = None
    in_proj_bias = None
    q_proj_weight = None
    k_proj_weight = None
    v_proj_weight = None
    bias_k = None
    bias_v = None
    add_zero_attn = False
    batch_first = False

    def __init__(self, embed_dim, num_heads, dropout=0.0, bias=True, add_bias_kv=False, add_zero_attn=False, kdim=None,
                 vdim=None, batch_first=False, device=None, dtype=None):
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.head_dim = embed_dim // num_heads
        self.batch_first = batch_first
        self.add_zero_attn = add_zero_attn
        kdim = kdim if kdim is not None else embed_dim
        vdim = vdim if vdim is not None else embed_dim
        if kdim == embed_dim and vdim == embed_dim:
            self.in_proj_weight = Parameter_of(3 * embed_dim, embed_dim)
        else:
            self.q_proj_weight = Parameter_of(embed_dim, embed_dim)
            self.k_proj_weight = Parameter_of(embed_dim, kdim)
            self.v_proj_weight = Parameter_of(embed_dim, vdim)
        if bias:
            self.in_proj_bias = Parameter_of(3 * embed_dim)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias)
        if add_bias_kv:
            self.bias_k = Parameter_of(1, 1, embed_dim)
            self.bias_v = Parameter_of(1, 1, embed_dim)
        retype(self, dtype)

    def forward(self, query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None,
                average_attn_weights=True, is_causal=False):
        turn = self.batch_first and query.dim() == 3
        if turn:
            query, key, value = query.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1)
        out, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k,
            self.bias_v, self.add_zero_attn, 0.0, self.out_proj.weight, self.out_proj.bias, False, key_padding_mask,
            need_weights, attn_mask, self.in_proj_weight is None, self.q_proj_weight, self.k_proj_weight,
            self.v_proj_weight, average_attn_weights=average_attn_weights)
        return out.transpose(0, 1) if turn else out, weights


def activation_of(activation):
    if isinstance(activation, str):
        return torch.gelu if activation == 'gelu' else torch.relu
    return activation


def copies(module, n):
    return ModuleList([module] + [rebuild(module) for _ in range(n - 1)])


def rebuild(v):
    return torch._stoker.rebuild(v)


class TransformerEncoderLayer(Module):
    norm_first = False

    def __init__(self, d_model, nhead, dim_feedforward=2048, dropout=0.1, activation='relu', layer_norm_eps=1e-5,
                 batch_first=False, norm_first=False, bias=True, device=None, dtype=None):
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first)
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = activation_of(activation)
        retype(self, dtype)

    def attend(self, x, mask, padding):
        return self.self_attn(x, x, x, attn_mask=mask, key_padding_mask=padding, need_weights=False)[0]

    def feed(self, x):
        return self.linear2(self.activation(self.linear1(x)))

    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
        x = src
        if self.norm_first:
            x = x + self.attend(self.norm1(x), src_mask, src_key_padding_mask)
            return x + self.feed(self.norm2(x))
        x = self.norm1(x + self.attend(x, src_mask, src_key_padding_mask))
        return self.norm2(x + self.feed(x))


class TransformerEncoder(Module):
    norm = None

    def __init__(self, encoder_layer, num_layers, norm=None, enable_nested_tensor=True, mask_check=True):
        self.layers = copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(self, src, mask=None, src_key_padding_mask=None, is_causal=None):
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask)
        return self.norm(src) if self.norm is not None else src


class TransformerDecoderLayer(Module):
    norm_first = False

    def __init__(self, d_model, nhead, dim_feedforward=2048, dropout=0.1, activation='relu', layer_norm_eps=1e-5,
                 batch_first=False, norm_first=False, bias=True, device=None, dtype=None):
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first)
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = activation_of(activation)
        retype(self, dtype)

    def feed(self, x):
        return self.linear2(self.activation(self.linear1(x)))

    def forward(self, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None,
                memory_key_padding_mask=None, tgt_is_causal=False, memory_is_causal=False):
        def own(x):
            return self.self_attn(x, x, x, attn_mask=tgt_mask, key_padding_mask=tgt_key_padding_mask,
                                  need_weights=False)[0]

        def other(x):
            return self.multihead_attn(x, memory, memory, attn_mask=memory_mask,
                                       key_padding_mask=memory_key_padding_mask, need_weights=False)[0]

        x = tgt
        if self.norm_first:
            x = x + own(self.norm1(x))
            x = x + other(self.norm2(x))
            return x + self.feed(self.norm3(x))
        x = self.norm1(x + own(x))
        x = self.norm2(x + other(x))
        return self.norm3(x + self.feed(x))


class TransformerDecoder(Module):
    norm = None

    def __init__(self, decoder_layer, num_layers, norm=None):
        self.layers = copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(self, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None,
                memory_key_padding_mask=None, tgt_is_causal=None, memory_is_causal=False):
        for layer in self.layers:
            tgt = layer(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        return self.norm(tgt) if self.norm is not None else tgt


class Transformer(Module):
    def __init__(self, d_model=512, nhead=8, num_encoder_layers=6, num_decoder_layers=6, dim_feedforward=2048,
                 dropout=0.1, activation='relu', custom_encoder=None, custom_decoder=None, layer_norm_eps=1e-5,
                 batch_first=False, norm_first=False, bias=True, device=None, dtype=None):
        layer = TransformerEncoderLayer(d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps,
                                        batch_first, norm_first, bias)
        self.encoder = TransformerEncoder(layer, num_encoder_layers, LayerNorm(d_model, layer_norm_eps, bias=bias))
        layer = TransformerDecoderLayer(d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps,
                                        batch_first, norm_first, bias)
        self.decoder = TransformerDecoder(layer, num_decoder_layers, LayerNorm(d_model, layer_norm_eps, bias=bias))
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first
        retype(self, dtype)

    @staticmethod
    def generate_square_subsequent_mask(sz, device=None, dtype=None):
        return torch.full((sz, sz), float('-inf')).triu(1)

    def forward(self, src, tgt, src_mask=None, tgt_mask=None, memory_mask=None, src_key_padding_mask=None,
                tgt_key_padding_mask=None, memory_key_padding_mask=None):
        memory = self.encoder(src, src_mask, src_key_padding_mask)
        return self.decoder(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)


# losses: models may own one, and never call it when they serve

class _Loss(Module):
    def __init__(self, *args, **kwargs):
        pass


class _WeightedLoss(_Loss):
    def __init__(self, weight=None, *args, **kwargs):
        self.register_buffer('weight', weight)
        if 'pos_weight' in kwargs:
            self.register_buffer('pos_weight', kwargs['pos_weight'])


class CrossEntropyLoss(_WeightedLoss):
    pass


class NLLLoss(_WeightedLoss):
    pass


class MSELoss(_Loss):
    pass


class L1Loss(_Loss):
    pass


class SmoothL1Loss(_Loss):
    pass


class BCELoss(_WeightedLoss):
    pass


class BCEWithLogitsLoss(_WeightedLoss):
    pass


class KLDivLoss(_Loss):
    pass


class CTCLoss(_Loss):
    pass


class CosineEmbeddingLoss(_Loss):
    pass


class GaussianNLLLoss(_Loss):
    pass


class HingeEmbeddingLoss(_Loss):
    pass


class HuberLoss(_Loss):
    pass


class MarginRankingLoss(_Loss):
    pass


class MultiLabelMarginLoss(_Loss):
    pass


class MultiLabelSoftMarginLoss(_WeightedLoss):
    pass


class MultiMarginLoss(_Loss):
    pass


class NLLLoss2d(_WeightedLoss):
    pass


class PoissonNLLLoss(_Loss):
    pass


class SoftMarginLoss(_Loss):
    pass


class TripletMarginLoss(_Loss):
    pass


class TripletMarginWithDistanceLoss(_Loss):
    pass


LAZY = []


def lazy_size(name):
    """The size that the first input would give: the weights show it."""
    LAZY.append(name)
    return torch._stoker.open(name + '_' + str(len(LAZY)), None)


class LazyConv1d(Conv1d):
    def __init__(self, *args, **kwargs):
        super().__init__(lazy_size('LazyConv1d'), *args, **kwargs)


class LazyConvTranspose1d(ConvTranspose1d):
    def __init__(self, *args, **kwargs):
        super().__init__(lazy_size('LazyConvTranspose1d'), *args, **kwargs)


class LazyBatchNorm1d(BatchNorm1d):
    def __init__(self, *args, **kwargs):
        super().__init__(lazy_size('LazyBatchNorm1d'), *args, **kwargs)


class LazyInstanceNorm1d(InstanceNorm1d):
    def __init__(self, *args, **kwargs):
        super().__init__(lazy_size('LazyInstanceNorm1d'), *args, **kwargs)


class LazyConv2d(Conv2d):
    def __init__(self, *args, **kwargs):
        super().__init__(lazy_size('LazyConv2d'), *args, **kwargs)


class LazyConvTranspose2d(ConvTranspose2d):
    def __init__(self, *args, **kwargs):
        super().__init__(lazy_size('LazyConvTranspose2d'), *args, **kwargs)


class LazyBatchNorm2d(BatchNorm2d):
    def __init__(self, *args, **kwargs):
        super().__init__(lazy_size('LazyBatchNorm2d'), *args, **kwargs)


class LazyInstanceNorm2d(InstanceNorm2d):
    def __init__(self, *args, **kwargs):
        super().__init__(lazy_size('LazyInstanceNorm2d'), *args, **kwargs)


class LazyConv3d(Conv3d):
    def __init__(self, *args, **kwargs):
        super().__init__(lazy_size('LazyConv3d'), *args, **kwargs)


class LazyConvTranspose3d(ConvTranspose3d):
    def __init__(self, *args, **kwargs):
        super().__init__(lazy_size('LazyConvTranspose3d'), *args, **kwargs)


class LazyBatchNorm3d(BatchNorm3d):
    def __init__(self, *args, **kwargs):
        super().__init__(lazy_size('LazyBatchNorm3d'), *args, **kwargs)


class LazyInstanceNorm3d(InstanceNorm3d):
    def __init__(self, *args, **kwargs):
        super().__init__(lazy_size('LazyInstanceNorm3d'), *args, **kwargs)


class LazyLinear(Linear):
    def __init__(self, *args, **kwargs):
        super().__init__(lazy_size('LazyLinear'), *args, **kwargs)


class Fold(Module):
    def __init__(self, output_size, kernel_size, dilation=1, padding=0, stride=1):
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input):
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)


class MaxUnpool2d(Module):
    def __init__(self, kernel_size, stride=None, padding=0):
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding

    def forward(self, input, indices, output_size=None):
        return F.max_unpool2d(input, indices, self.kernel_size, self.stride, self.padding, output_size)
