# What other packages bring along that models are written with: numpy's arrays
# (they are tensors here), einops, the layers of timm, lightning. Each name is
# called PACKAGE_NAME; host.c says which packages there are.
import math
import torch
import torch.nn as nn


# ---- torch.autograd ---------------------------------------------------------

class autograd_Context:
    def save_for_backward(self, *tensors):
        self.saved_tensors = tensors

    def mark_non_differentiable(self, *tensors):
        pass

    def mark_dirty(self, *tensors):
        pass


class autograd_Function:
    @classmethod
    def apply(cls, *args):
        if hasattr(cls, 'setup_context'):
            return cls.forward(*args)
        return cls.forward(autograd_Context(), *args)


# ---- torch.distributions: what needs no chance -------------------------------

class distributions_Categorical:
    def __init__(self, probs=None, logits=None, validate_args=None):
        if probs is not None:
            self.probs = probs / probs.sum(-1, keepdim=True)
            self.logits = torch.log(self.probs)
        else:
            self.logits = logits - logits.logsumexp(-1, keepdim=True)
            self.probs = torch.softmax(self.logits, -1)
        self.mode = self.probs.argmax(-1)

    def log_prob(self, value):
        return self.logits.gather(-1, value.long().unsqueeze(-1)).squeeze(-1)

    def entropy(self):
        return -(self.logits * self.probs).sum(-1)

    def sample(self, shape=()):
        raise NotImplementedError('sample(): the answer would depend on chance')


class distributions_Normal:
    def __init__(self, loc, scale, validate_args=None):
        self.loc = loc
        self.mean = loc
        self.mode = loc
        self.scale = scale
        self.stddev = scale
        self.variance = scale ** 2

    def log_prob(self, value):
        return -((value - self.loc) ** 2) / (2 * self.scale ** 2) - torch.log(self.scale) - 0.9189385332046727

    def entropy(self):
        return 1.4189385332046727 + torch.log(self.scale)

    def sample(self, shape=()):
        raise NotImplementedError('sample(): the answer would depend on chance')

    def rsample(self, shape=()):
        raise NotImplementedError('rsample(): the answer would depend on chance')


class distributions_Bernoulli:
    def __init__(self, probs=None, logits=None, validate_args=None):
        self.logits = torch.log(probs / (1 - probs)) if logits is None else logits
        self.probs = torch.sigmoid(logits) if probs is None else probs
        self.mean = self.probs

    def log_prob(self, value):
        return value * torch.nn.functional.logsigmoid(self.logits) + (1 - value) * torch.nn.functional.logsigmoid(-self.logits)

    def entropy(self):
        return torch.nn.functional.softplus(-self.logits) + (1 - self.probs) * self.logits

    def sample(self, shape=()):
        raise NotImplementedError('sample(): the answer would depend on chance')


def distributions_factor(matrix):
    """Cholesky's factor L of a constant matrix, as lists: L L^T = matrix."""
    n = len(matrix)
    low = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for k in range(i + 1):
            rest = matrix[i][k] - sum([low[i][q] * low[k][q] for q in range(k)])
            low[i][k] = rest ** 0.5 if i == k else rest / low[k][k]
    return low


def distributions_inverse(low):
    """The inverse of a lower triangular matrix, as lists."""
    n = len(low)
    out = [[0.0] * n for _ in range(n)]
    for i in range(n):
        out[i][i] = 1.0 / low[i][i]
        for k in range(i):
            out[i][k] = -sum([low[i][q] * out[q][k] for q in range(k, i)]) / low[i][i]
    return out


class distributions_MultivariateNormal:
    """Its covariance is a constant matrix: what the source says, not a weight."""

    def __init__(self, loc, covariance_matrix=None, precision_matrix=None, scale_tril=None, validate_args=None):
        if precision_matrix is not None:
            raise NotImplementedError('MultivariateNormal by its precision_matrix')
        self.loc = loc
        self.mean = loc
        self.mode = loc
        low = distributions_factor(covariance_matrix.tolist()) if scale_tril is None else scale_tril.tolist()
        self.constant = len(low) * 0.9189385332046727 + sum([math.log(low[i][i]) for i in range(len(low))])
        self.unscale = torch.tensor(distributions_inverse(low))

    def log_prob(self, value):
        y = torch.matmul(value - self.loc, self.unscale.t().to(value.dtype))
        return -0.5 * (y ** 2).sum(-1) - self.constant

    def sample(self, shape=()):
        raise NotImplementedError('sample(): the answer would depend on chance')


class distributions_Independent:
    def __init__(self, base_distribution, reinterpreted_batch_ndims, validate_args=None):
        self.base_dist = base_distribution
        self.dims = [-1 - i for i in range(reinterpreted_batch_ndims)]
        self.mean = base_distribution.mean

    def log_prob(self, value):
        return self.base_dist.log_prob(value).sum(self.dims)

    def entropy(self):
        return self.base_dist.entropy().sum(self.dims)


# ---- numpy ------------------------------------------------------------------

def numpy_array(x, dtype=None, copy=True, ndmin=0):
    if torch._stoker.is_unknown(x):
        return x
    if isinstance(x, (list, tuple)) and any([torch.is_tensor(v) for v in x]):
        y = torch.stack([torch.as_tensor(v) for v in x], 0)
    else:
        y = torch.tensor(x)
    if dtype is not None:
        return torch._stoker.array(y.astype(dtype))
    return torch._stoker.array(y.double() if torch.is_floating_point(y) else y)


def numpy_asarray(x, dtype=None):
    return numpy_array(x, dtype)


def numpy_cumsum(x, axis=None):
    x = numpy_of(x)
    return x.flatten().cumsum(0) if axis is None else x.cumsum(axis)


class numpy_Grid:
    """mgrid[0:2, 0:3] and ogrid: coordinates of a grid, dense or as they broadcast."""

    def __init__(self, dense):
        self.dense = dense

    def __getitem__(self, at):
        at = at if isinstance(at, tuple) else (at,)
        axes = [torch.arange(s.start or 0, s.stop, s.step or 1) for s in at]
        if len(axes) == 1:
            return axes[0]
        if self.dense:
            return torch.stack(list(torch.meshgrid(*axes, indexing='ij')), 0)
        return [a.reshape([-1 if i == k else 1 for k in range(len(axes))]) for i, a in enumerate(axes)]


numpy_mgrid = numpy_Grid(True)
numpy_ogrid = numpy_Grid(False)
numpy_newaxis = None
numpy_e = 2.718281828459045


def numpy_hstack(arrays):
    return torch.hstack([numpy_of(a) for a in arrays])


def numpy_vstack(arrays):
    return torch.vstack([numpy_of(a) for a in arrays])


def numpy_squeeze(x, axis=None):
    return x.squeeze() if axis is None else x.squeeze(axis)


def numpy_ravel(x):
    return x.flatten()


def numpy_flip(x, axis=None):
    return x.flip(list(range(x.dim())) if axis is None else [axis] if isinstance(axis, int) else list(axis))


def numpy_roll(x, shift, axis=None):
    return x.roll(shift) if axis is None else x.roll(shift, axis)


def numpy_diag(x, k=0):
    return torch.diag(numpy_of(x), k)


def numpy_square(x):
    return x ** 2


def numpy_sign(x):
    return torch.sign(x) if torch.is_tensor(x) else (x > 0) - (x < 0)


def numpy_mod(x, y):
    return x % y


def numpy_floor_divide(x, y):
    return x // y


def numpy_multiply(x, y):
    return x * y


def numpy_add(x, y):
    return x + y


def numpy_subtract(x, y):
    return x - y


def numpy_divide(x, y):
    return x / y


def numpy_size(x):
    return len(x) if isinstance(x, (list, tuple)) else x.numel()


def numpy_shape(x):
    return tuple(numpy_of(x).shape)


def numpy_ndim(x):
    return 0 if isinstance(x, (int, float)) else numpy_of(x).dim()


def numpy_argmax(x, axis=None):
    return numpy_of(x).argmax() if axis is None else numpy_of(x).argmax(axis)


def numpy_argsort(x, axis=-1):
    return numpy_of(x).argsort(axis)


def numpy_logical_not(x):
    return torch.logical_not(x)


def numpy_float32(x):
    return float(x) if isinstance(x, (int, float)) else numpy_of(x).float()


def numpy_float64(x):
    return float(x) if isinstance(x, (int, float)) else numpy_of(x).double()


def numpy_int64(x):
    return int(x)


def numpy_int32(x):
    return int(x)


def numpy_power(x, y):
    return x ** y


def numpy_concatenate(arrays, axis=0):
    return torch.cat(list(arrays), dim=axis)


def numpy_stack(arrays, axis=0):
    return torch.stack(list(arrays), dim=axis)


def numpy_expand_dims(x, axis):
    return x.unsqueeze(axis)


def numpy_tile(x, reps):
    return torch.tile(x, reps)


def numpy_outer(a, b):
    return torch.outer(a, b)


def numpy_matmul(a, b):
    return torch.matmul(a, b)


def numpy_identity(n):
    return torch.eye(n, dtype=torch.float64)


def numpy_of(x):
    return numpy_array(x) if isinstance(x, (list, tuple)) else x


def numpy_sum(x, axis=None):
    if isinstance(x, (list, tuple)) and axis is None and len(x) > 0 and isinstance(x[0], (int, float)):
        return sum(x)
    return numpy_of(x).sum() if axis is None else numpy_of(x).sum(axis)


def numpy_mean(x, axis=None):
    return numpy_of(x).double().mean() if axis is None else numpy_of(x).double().mean(axis)


def numpy_max(x, axis=None):
    return max(x) if isinstance(x, (list, tuple)) else x.max() if axis is None else x.amax(axis)


def numpy_min(x, axis=None):
    return min(x) if isinstance(x, (list, tuple)) else x.min() if axis is None else x.amin(axis)


def numpy_maximum(x, y):
    return max(x, y) if isinstance(x, (int, float)) else torch.maximum(x, y)


def numpy_minimum(x, y):
    return min(x, y) if isinstance(x, (int, float)) else torch.minimum(x, y)


def numpy_clip(x, low, high):
    return min(max(x, low), high) if isinstance(x, (int, float)) else x.clamp(low, high)


def numpy_dot(a, b):
    return numpy_of(a) @ numpy_of(b)


def numpy_reshape(x, shape):
    return numpy_of(x).reshape(shape)


def numpy_repeat(x, repeats, axis=None):
    return torch.repeat_interleave(numpy_of(x), repeats, axis)


def numpy_where(condition, x, y):
    return torch.where(condition, x, y)


def numpy_meshgrid(*arrays, indexing='xy'):
    return torch.meshgrid(*arrays, indexing=indexing)


def numpy_triu(x, k=0):
    return torch.triu(x, k)


def numpy_tril(x, k=0):
    return torch.tril(x, k)


def numpy_zeros_like(x):
    return torch.zeros_like(x)


def numpy_ones_like(x):
    return torch.ones_like(x)


def numpy_transpose(x, axes=None):
    return x.permute(*axes) if axes is not None else x.permute(*range(x.dim())[::-1])


# ---- einops -----------------------------------------------------------------

def einops_axes(side):
    """'b (h w) c' -> [['b'], ['h', 'w'], ['c']]; an axis of 1 is []."""
    groups = []
    inner = None
    for word in side.replace('(', ' ( ').replace(')', ' ) ').split():
        if word == '(':
            inner = []
        elif word == ')':
            groups.append(inner)
            inner = None
        elif inner is not None:
            inner += [] if word == '1' else [word]
        else:
            groups.append([] if word == '1' else [word])
    return groups


def einops_spread(groups, n):
    """The dots stand for as many axes as there are left."""
    out = []
    names = ['...%d' % i for i in range(n)]
    for group in groups:
        if group == ['...']:
            out += [[name] for name in names]
        elif '...' in group:
            at = group.index('...')
            out.append(group[:at] + names + group[at + 1:])
        else:
            out.append(group)
    return out


def einops_sizes(groups, shape, given):
    sizes = dict(given)
    if len(groups) != len(shape):
        raise ValueError('the pattern has %d axes, the tensor %d' % (len(groups), len(shape)))
    for group, size in zip(groups, shape):
        known = 1
        open = None
        for name in group:
            if name in sizes:
                known *= sizes[name]
            else:
                open = name
        if open is not None:
            sizes[open] = size // known
            known *= sizes[open]
        if known != size:
            raise ValueError('an axis of %d is not %s' % (size, group))
    return sizes


def einops_flat(groups):
    return [name for group in groups for name in group]


def einops_change(x, pattern, reduction, given):
    if isinstance(x, (list, tuple)):
        x = torch.stack(list(x), 0)
    left, right = pattern.split('->')
    left = einops_axes(left)
    right = einops_axes(right)
    dots = x.dim() - len([g for g in left if g != ['...']])
    left = einops_spread(left, dots)
    right = einops_spread(right, dots)
    sizes = einops_sizes(left, x.shape, given)
    have = einops_flat(left)
    want = einops_flat(right)
    x = x.reshape([sizes[name] for name in have])
    gone = [i for i, name in enumerate(have) if name not in want]
    if gone:
        if reduction is None:
            raise ValueError('axes are missing on the right of ' + pattern)
        if callable(reduction):
            x = reduction(x, tuple(gone))
        else:
            for i in gone[::-1]:
                x = einops_fold(x, reduction, i)
        have = [name for name in have if name in want]
    kept = [name for name in want if name in have]
    x = x.permute([have.index(name) for name in kept])
    if len(kept) != len(want):
        for i, name in enumerate(want):
            if name not in kept:
                x = x.unsqueeze(i)
        x = x.expand([sizes[name] for name in want])
    out = []
    for group in right:
        size = 1
        for name in group:
            size *= sizes[name]
        out.append(size)
    return x.reshape(out)


def einops_fold(x, how, dim):
    if how == 'mean':
        return x.mean(dim)
    if how == 'sum':
        return x.sum(dim)
    if how == 'prod':
        return x.prod(dim)
    return x.amax(dim) if how == 'max' else x.amin(dim)


def einops_rearrange(tensor, pattern, **sizes):
    return einops_change(tensor, pattern, None, sizes)


def einops_repeat(tensor, pattern, **sizes):
    return einops_change(tensor, pattern, None, sizes)


def einops_reduce(tensor, pattern, reduction, **sizes):
    return einops_change(tensor, pattern, reduction, sizes)


def einops_einsum(*args):
    tensors = args[:-1]
    letters = {}
    out = ''
    for word in args[-1].replace(',', ' , ').replace('->', ' > ').split():
        if word in (',', '>', '...'):
            out += '->' if word == '>' else word
            continue
        if word not in letters:
            letters[word] = 'abcdefghijklmnopqrstuvwxyz'[len(letters)]
        out += letters[word]
    return torch.einsum(out, *tensors)


class einops_Rearrange(nn.Module):
    def __init__(self, pattern, **sizes):
        super().__init__()
        self.pattern = pattern
        self.sizes = sizes

    def forward(self, input):
        return einops_change(input, self.pattern, None, self.sizes)


class einops_Reduce(nn.Module):
    def __init__(self, pattern, reduction, **sizes):
        super().__init__()
        self.pattern = pattern
        self.reduction = reduction
        self.sizes = sizes

    def forward(self, input):
        return einops_change(input, self.pattern, self.reduction, self.sizes)


# ---- timm -------------------------------------------------------------------

class timm_DropPath(nn.Module):
    def __init__(self, drop_prob=0.0, scale_by_keep=True):
        super().__init__()
        self.drop_prob = drop_prob

    def forward(self, x):
        return x


def timm_drop_path(x, drop_prob=0.0, training=False, scale_by_keep=True):
    return x


def timm_trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0):
    return tensor


def timm_variance_scaling_(tensor, scale=1.0, mode='fan_in', distribution='normal'):
    return tensor


def timm_lecun_normal_(tensor):
    return tensor


def timm_to_2tuple(x):
    return tuple(x) if isinstance(x, (list, tuple)) else (x, x)


def timm_to_3tuple(x):
    return tuple(x) if isinstance(x, (list, tuple)) else (x, x, x)


def timm_to_ntuple(n):
    return lambda x: tuple(x) if isinstance(x, (list, tuple)) else (x,) * n


def timm_make_divisible(v, divisor=8, min_value=None, round_limit=0.9):
    low = min_value or divisor
    new = max(low, int(v + divisor / 2) // divisor * divisor)
    return new + divisor if new < round_limit * v else new


def timm_register_model(fn):
    return fn


def timm_create_model(name, pretrained=False, num_classes=1000, in_chans=3, features_only=False, **kwargs):
    """Of timm's models those that are torchvision's by the names of their weights and by what they compute."""
    import torchvision.models as models
    name = name.split('.')[0].replace('tv_', '')
    if features_only or not name.startswith(('resnet18', 'resnet34', 'resnet50', 'resnet101', 'resnet152', 'densenet')):
        raise NotImplementedError('timm.create_model(%s)' % name)
    m = getattr(models, name)()
    head = 'classifier' if name.startswith('densenet') else 'fc'
    m.num_features = getattr(m, head).in_features
    setattr(m, head, nn.Linear(m.num_features, num_classes) if num_classes > 0 else nn.Identity())
    if in_chans != 3:
        m.conv1 = nn.Conv2d(in_chans, 64, 7, 2, 3, bias=False)
    return m


class timm_Mlp(nn.Module):
    def __init__(self, in_features, hidden_features=None, out_features=None, act_layer=nn.GELU, norm_layer=None,
                 bias=True, drop=0.0, use_conv=False):
        super().__init__()
        hidden = hidden_features or in_features
        out = out_features or in_features
        self.fc1 = nn.Linear(in_features, hidden, bias=bias)
        self.act = act_layer()
        self.norm = norm_layer(hidden) if norm_layer is not None else nn.Identity()
        self.fc2 = nn.Linear(hidden, out, bias=bias)

    def forward(self, x):
        return self.fc2(self.norm(self.act(self.fc1(x))))


class timm_Attention(nn.Module):
    def __init__(self, dim, num_heads=8, qkv_bias=False, qk_norm=False, proj_bias=True, attn_drop=0.0, proj_drop=0.0,
                 norm_layer=nn.LayerNorm):
        super().__init__()
        self.num_heads = num_heads
        self.head_dim = dim // num_heads
        self.scale = self.head_dim ** -0.5
        self.qkv = nn.Linear(dim, dim * 3, bias=qkv_bias)
        self.q_norm = norm_layer(self.head_dim) if qk_norm else nn.Identity()
        self.k_norm = norm_layer(self.head_dim) if qk_norm else nn.Identity()
        self.proj = nn.Linear(dim, dim, bias=proj_bias)

    def forward(self, x):
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.num_heads, self.head_dim).permute(2, 0, 3, 1, 4).unbind(0)
        weights = torch.softmax(self.q_norm(q) * self.scale @ self.k_norm(k).transpose(-2, -1), -1)
        return self.proj((weights @ v).transpose(1, 2).reshape(b, n, c))


class timm_LayerScale(nn.Module):
    def __init__(self, dim, init_values=1e-5, inplace=False):
        super().__init__()
        self.gamma = nn.Parameter(init_values * torch.ones(dim))

    def forward(self, x):
        return x * self.gamma


class timm_Block(nn.Module):
    """A layer of timm's VisionTransformer; drop is what it was called before 0.9."""

    def __init__(self, dim, num_heads, mlp_ratio=4.0, qkv_bias=False, qk_norm=False, proj_drop=0.0, attn_drop=0.0,
                 init_values=None, drop_path=0.0, act_layer=nn.GELU, norm_layer=nn.LayerNorm, drop=0.0, qk_scale=None):
        super().__init__()
        self.norm1 = norm_layer(dim)
        self.attn = timm_Attention(dim, num_heads, qkv_bias, qk_norm, norm_layer=norm_layer)
        if qk_scale is not None:
            self.attn.scale = qk_scale
        self.ls1 = timm_LayerScale(dim, init_values) if init_values else nn.Identity()
        self.norm2 = norm_layer(dim)
        self.mlp = timm_Mlp(dim, int(dim * mlp_ratio), act_layer=act_layer)
        self.ls2 = timm_LayerScale(dim, init_values) if init_values else nn.Identity()

    def forward(self, x):
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class timm_PatchEmbed(nn.Module):
    def __init__(self, img_size=224, patch_size=16, in_chans=3, embed_dim=768, norm_layer=None, flatten=True, bias=True):
        super().__init__()
        self.img_size = timm_to_2tuple(img_size)
        self.patch_size = timm_to_2tuple(patch_size)
        self.grid_size = (self.img_size[0] // self.patch_size[0], self.img_size[1] // self.patch_size[1])
        self.num_patches = self.grid_size[0] * self.grid_size[1]
        self.flatten = flatten
        self.proj = nn.Conv2d(in_chans, embed_dim, self.patch_size, self.patch_size, bias=bias)
        self.norm = norm_layer(embed_dim) if norm_layer is not None else nn.Identity()

    def forward(self, x):
        x = self.proj(x)
        if self.flatten:
            x = x.flatten(2).transpose(1, 2)
        return self.norm(x)


# ---- lightning --------------------------------------------------------------

class lightning_Record:
    """What save_hyperparameters() keeps: attributes and keys."""

    def __init__(self, values):
        for key, value in values.items():
            if key not in ('self', '__class__'):
                setattr(self, key, value)

    def __getitem__(self, key):
        return getattr(self, key)

    def get(self, key, default=None):
        return getattr(self, key, default)


class lightning_LightningModule(nn.Module):
    def save_hyperparameters(self, values):
        hparams = lightning_Record(values)
        for key, value in (values.get('kwargs') or {}).items():
            setattr(hparams, key, value)
        self.hparams = hparams

    def log(self, *args, **kwargs):
        pass

    def log_dict(self, *args, **kwargs):
        pass

    def freeze(self):
        pass


# ---- torch.hub --------------------------------------------------------------

def hub_load(repo, model, *args, **kwargs):
    if 'pytorch/vision' not in repo:
        raise NotImplementedError('torch.hub.load() of ' + repo)
    import torchvision.models as models
    return getattr(models, model)()


# ---- argparse ---------------------------------------------------------------

class argparse_Namespace:
    def __init__(self, **values):
        for name, value in values.items():
            setattr(self, name, value)


def argparse_value(name, options):
    """What was on the command line is not known; the default is likely."""
    if options.get('action') == 'store_true':
        return torch._stoker.open(name, False)
    if options.get('action') == 'store_false':
        return torch._stoker.open(name, True)
    return torch._stoker.open(name, options.get('default'))


class argparse_ArgumentParser:
    def __init__(self, *args, **kwargs):
        self.values = {}

    def add_argument(self, *names, **options):
        name = names[0]
        for other in names:
            if other.startswith('--'):
                name = other
                break
        name = options.get('dest') or name.lstrip('-').replace('-', '_')
        self.values[name] = argparse_value(name, options)

    def add_argument_group(self, *args, **kwargs):
        return self

    def add_mutually_exclusive_group(self, *args, **kwargs):
        return self

    def set_defaults(self, **values):
        for name, value in values.items():
            self.values[name] = torch._stoker.open(name, value)

    def parse_args(self, args=None, namespace=None):
        return argparse_Namespace(**self.values)

    def parse_known_args(self, args=None):
        return self.parse_args(), []
