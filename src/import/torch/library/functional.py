# torch.nn.functional and functions of torch that are made of operators, for the
# evaluator in src/import/python. functional_NAME stands for
# torch.nn.functional.NAME, torch_NAME for torch.NAME and x.NAME; where neither
# is here the operator of that name in src/import/torch/aten_*.c is called.
# Written from the documentation at docs.pytorch.org.
import math
import torch


def functional_relu(input, inplace=False):
    return torch.relu_(input) if inplace else torch.relu(input)


def functional_relu6(input, inplace=False):
    return torch.relu6_(input) if inplace else torch.relu6(input)


def functional_leaky_relu(input, negative_slope=0.01, inplace=False):
    return torch.leaky_relu_(input, negative_slope) if inplace else torch.leaky_relu(input, negative_slope)


def functional_elu(input, alpha=1.0, inplace=False):
    return torch.elu(input, alpha)


def functional_selu(input, inplace=False):
    return torch.selu(input)


def functional_celu(input, alpha=1.0, inplace=False):
    return torch.celu(input, alpha)


def functional_silu(input, inplace=False):
    return torch.silu(input)


def functional_mish(input, inplace=False):
    return torch.mish(input)


def functional_hardswish(input, inplace=False):
    return torch.hardswish(input)


def functional_hardsigmoid(input, inplace=False):
    return torch.hardsigmoid(input)


def functional_hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    return torch.clamp(input, min_val, max_val)


def functional_threshold(input, threshold, value, inplace=False):
    return torch.threshold(input, threshold, value)


def functional_rrelu(input, lower=0.125, upper=0.3333333333333333, training=False, inplace=False):
    return torch.rrelu(input, lower, upper)


def functional_dropout(input, p=0.5, training=True, inplace=False):
    return input


functional_dropout1d = functional_dropout
functional_dropout2d = functional_dropout
functional_dropout3d = functional_dropout
functional_alpha_dropout = functional_dropout
functional_feature_alpha_dropout = functional_dropout


def functional_softmax(input, dim=None, _stacklevel=3, dtype=None):
    return torch.softmax(input, dim, dtype)


def functional_log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    return torch.log_softmax(input, dim, dtype)


def functional_softmin(input, dim=None, _stacklevel=3, dtype=None):
    return torch.softmax(-input, dim, dtype)


def functional_embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False,
                         sparse=False):
    return torch.embedding(weight, input)


def functional_one_hot(tensor, num_classes=-1):
    return torch.one_hot(tensor, num_classes)


def functional_batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1,
                          eps=1e-5):
    return torch.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, True)


def functional_instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True,
                             momentum=0.1, eps=1e-5):
    return torch.instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, True)


def functional_layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    return torch.layer_norm(input, normalized_shape, weight, bias, eps)


def functional_group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    return torch.group_norm(input, num_groups, weight, bias, eps)


def functional_normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    return input / torch.norm(input, p, dim, True).clamp_min(eps).expand_as(input)


def max_pool(pool, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices):
    if return_indices:
        return getattr(torch, pool + '_with_indices')(input, kernel_size, stride, padding, dilation, ceil_mode)
    return getattr(torch, pool)(input, kernel_size, stride, padding, dilation, ceil_mode)


def functional_max_pool1d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
                          return_indices=False):
    return max_pool('max_pool1d', input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def functional_max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
                          return_indices=False):
    return max_pool('max_pool2d', input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def functional_max_pool3d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
                          return_indices=False):
    return max_pool('max_pool3d', input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def functional_adaptive_max_pool1d(input, output_size, return_indices=False):
    return torch.adaptive_max_pool1d(input, output_size)[0]


def functional_adaptive_max_pool2d(input, output_size, return_indices=False):
    return torch.adaptive_max_pool2d(input, output_size)[0]


def functional_adaptive_max_pool3d(input, output_size, return_indices=False):
    return torch.adaptive_max_pool3d(input, output_size)[0]


def lp_pool(pool, input, norm_type, kernel_size, stride, ceil_mode, n):
    size = kernel_size ** n if isinstance(kernel_size, int) else math.prod(kernel_size)
    out = pool(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    return (torch.sign(out) * torch.relu(torch.abs(out)) * size).pow(1.0 / norm_type)


def functional_lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    return lp_pool(torch.avg_pool1d, input, norm_type, kernel_size, stride, ceil_mode, 1)


def functional_lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    return lp_pool(torch.avg_pool2d, input, norm_type, kernel_size, stride, ceil_mode, 2)


def functional_interpolate(input, size=None, scale_factor=None, mode='nearest', align_corners=None,
                           recompute_scale_factor=None, antialias=False):
    if antialias:
        raise NotImplementedError('interpolate with antialias')
    n = input.dim() - 2
    if scale_factor is not None and not isinstance(scale_factor, (list, tuple)):
        scale_factor = [scale_factor] * n
    if size is not None and isinstance(size, int):
        size = [size] * n
    if scale_factor is not None and (recompute_scale_factor or mode == 'area'):
        size = [math.floor(input.size(i + 2) * scale_factor[i]) for i in range(n)]
        scale_factor = None
    if mode == 'area':
        return getattr(torch, 'adaptive_avg_pool%dd' % n)(input, size)
    if scale_factor is not None:
        scale_factor = [float(s) for s in scale_factor]
    if mode == 'nearest':
        return getattr(torch, 'upsample_nearest%dd' % n)(input, size, scale_factor)
    names = {'linear': 'upsample_linear1d', 'bilinear': 'upsample_bilinear2d', 'bicubic': 'upsample_bicubic2d',
             'trilinear': 'upsample_trilinear3d'}
    return getattr(torch, names[mode])(input, size, bool(align_corners), scale_factor)


def functional_upsample(input, size=None, scale_factor=None, mode='nearest', align_corners=None):
    return functional_interpolate(input, size, scale_factor, mode, align_corners)


def functional_upsample_bilinear(input, size=None, scale_factor=None):
    return functional_interpolate(input, size, scale_factor, 'bilinear', True)


def functional_upsample_nearest(input, size=None, scale_factor=None):
    return functional_interpolate(input, size, scale_factor)


def functional_pad(input, pad, mode='constant', value=None):
    return torch.pad(input, pad, mode, value)


def functional_unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    return torch.im2col(input, kernel_size, dilation, padding, stride)


def functional_grid_sample(input, grid, mode='bilinear', padding_mode='zeros', align_corners=None):
    return torch.grid_sampler(input, grid, mode, padding_mode, bool(align_corners))


def functional_affine_grid(theta, size, align_corners=None):
    return torch.affine_grid_generator(theta, size, bool(align_corners))


def functional_tanh(input):
    return torch.tanh(input)


def functional_gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    raise NotImplementedError('gumbel_softmax draws random numbers')


def functional_multi_head_attention_forward(query, key, value, embed_dim_to_check, num_heads, in_proj_weight,
                                            in_proj_bias, bias_k, bias_v, add_zero_attn, dropout_p, out_proj_weight,
                                            out_proj_bias, training=True, key_padding_mask=None, need_weights=True,
                                            attn_mask=None, use_separate_proj_weight=False, q_proj_weight=None,
                                            k_proj_weight=None, v_proj_weight=None, static_k=None, static_v=None,
                                            average_attn_weights=True, is_causal=False):
    batched = query.dim() == 3
    if not batched:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
    time, batch, width = query.shape
    head = width // num_heads
    bias = [None, None, None] if in_proj_bias is None else in_proj_bias.chunk(3)
    if use_separate_proj_weight:
        weight = [q_proj_weight, k_proj_weight, v_proj_weight]
    else:
        weight = in_proj_weight.chunk(3)
    q = torch.linear(query, weight[0], bias[0])
    k = torch.linear(key, weight[1], bias[1])
    v = torch.linear(value, weight[2], bias[2])
    if bias_k is not None:
        k = torch.cat([k, bias_k.repeat(1, batch, 1)])
        v = torch.cat([v, bias_v.repeat(1, batch, 1)])
    q = q.reshape(time, batch * num_heads, head).transpose(0, 1)
    k = k.reshape(k.shape[0], batch * num_heads, head).transpose(0, 1)
    v = v.reshape(v.shape[0], batch * num_heads, head).transpose(0, 1)
    if add_zero_attn:
        k = torch.cat([k, torch.zeros(batch * num_heads, 1, head)], dim=1)
        v = torch.cat([v, torch.zeros(batch * num_heads, 1, head)], dim=1)
    scores = torch.bmm(q / math.sqrt(head), k.transpose(1, 2))
    if attn_mask is not None:
        extra = scores.size(2) - attn_mask.size(-1)
        if extra > 0:
            attn_mask = torch.pad(attn_mask, [0, extra])
        if attn_mask.dtype == torch.bool:
            scores = scores.masked_fill(attn_mask, float('-inf'))
        else:
            scores = scores + attn_mask
    if key_padding_mask is not None:
        extra = scores.size(2) - key_padding_mask.size(-1)
        if extra > 0:
            key_padding_mask = torch.pad(key_padding_mask, [0, extra])
        scores = scores.reshape(batch, num_heads, time, scores.size(2))
        mask = key_padding_mask.unsqueeze(1).unsqueeze(2)
        if mask.dtype == torch.bool:
            scores = scores.masked_fill(mask, float('-inf'))
        else:
            scores = scores + mask
        scores = scores.reshape(batch * num_heads, time, scores.size(3))
    weights = torch.softmax(scores, -1)
    out = torch.bmm(weights, v).transpose(0, 1).reshape(time, batch, width)
    out = torch.linear(out, out_proj_weight, out_proj_bias)
    if not batched:
        out = out.squeeze(1)
    if not need_weights:
        return out, None
    weights = weights.reshape(batch, num_heads, time, weights.size(2))
    if average_attn_weights:
        weights = weights.mean(1)
    return out, weights if batched else weights.squeeze(0)


def functional_scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False,
                                            scale=None, enable_gqa=False):
    if enable_gqa:
        key = key.repeat_interleave(query.size(-3) // key.size(-3), -3)
        value = value.repeat_interleave(query.size(-3) // value.size(-3), -3)
    scale = 1 / math.sqrt(query.size(-1)) if scale is None else scale
    scores = torch.matmul(query * scale, key.transpose(-2, -1))
    if is_causal:
        attn_mask = torch.ones(query.size(-2), key.size(-2), dtype=torch.bool).tril()
    if attn_mask is not None:
        if attn_mask.dtype == torch.bool:
            scores = scores.masked_fill(torch.logical_not(attn_mask), float('-inf'))
        else:
            scores = scores + attn_mask
    return torch.matmul(torch.softmax(scores, -1), value)


def torch_scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None,
                                       enable_gqa=False):
    return functional_scaled_dot_product_attention(query, key, value, attn_mask, dropout_p, is_causal, scale,
                                                   enable_gqa)


def torch__native_multi_head_attention(query, key, value, embed_dim, num_head, qkv_weight, qkv_bias, proj_weight,
                                       proj_bias, mask=None, need_weights=True, average_attn_weights=True,
                                       mask_type=None):
    query, key, value = query.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1)
    attn_mask = mask if mask_type != 1 else None
    padding = mask if mask_type == 1 else None
    out, weights = functional_multi_head_attention_forward(
        query, key, value, embed_dim, num_head, qkv_weight, qkv_bias, None, None, False, 0.0, proj_weight, proj_bias,
        False, padding, need_weights, attn_mask, average_attn_weights=average_attn_weights)
    return out.transpose(0, 1), weights


def torch__transformer_encoder_layer_fwd(src, embed_dim, num_heads, qkv_weight, qkv_bias, proj_weight, proj_bias,
                                         use_gelu, norm_first, eps, norm_weight_1, norm_bias_1, norm_weight_2,
                                         norm_bias_2, ffn_weight_1, ffn_bias_1, ffn_weight_2, ffn_bias_2, mask=None,
                                         mask_type=None):
    def attend(x):
        return torch__native_multi_head_attention(x, x, x, embed_dim, num_heads, qkv_weight, qkv_bias, proj_weight,
                                                  proj_bias, mask, False, True, mask_type)[0]

    def feed(x):
        x = torch.linear(x, ffn_weight_1, ffn_bias_1)
        return torch.linear(torch.gelu(x) if use_gelu else torch.relu(x), ffn_weight_2, ffn_bias_2)

    def norm(x, weight, bias):
        return torch.layer_norm(x, [embed_dim], weight, bias, eps)

    if norm_first:
        x = src + attend(norm(src, norm_weight_1, norm_bias_1))
        return x + feed(norm(x, norm_weight_2, norm_bias_2))
    x = norm(src + attend(src), norm_weight_1, norm_bias_1)
    return norm(x + feed(x), norm_weight_2, norm_bias_2)


def torch_lstm_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    gates = torch.linear(input, w_ih, b_ih) + torch.linear(hx[0], w_hh, b_hh)
    i, f, g, o = gates.chunk(4, -1)
    c = torch.sigmoid(f) * hx[1] + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def torch_gru_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    a = torch.linear(input, w_ih, b_ih).chunk(3, -1)
    b = torch.linear(hx, w_hh, b_hh).chunk(3, -1)
    r = torch.sigmoid(a[0] + b[0])
    z = torch.sigmoid(a[1] + b[1])
    n = torch.tanh(a[2] + r * b[2])
    return (1 - z) * n + z * hx


def torch_rnn_tanh_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    return torch.tanh(torch.linear(input, w_ih, b_ih) + torch.linear(hx, w_hh, b_hh))


def torch_rnn_relu_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    return torch.relu(torch.linear(input, w_ih, b_ih) + torch.linear(hx, w_hh, b_hh))


def torch_meshgrid(*tensors, indexing=None):
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tensors[0]
    return torch.mesh_of(list(tensors), indexing)


def tensor_where(self, condition, other):
    return torch.where(condition, self, other)


def torch_checkpoint(function, *args, use_reentrant=True, preserve_rng_state=True):
    return function(*args)


def torch_diff(self, n=1, dim=-1, prepend=None, append=None):
    parts = [t for t in (prepend, self, append) if t is not None]
    x = torch.cat(parts, dim) if len(parts) > 1 else self
    for _ in range(n):
        size = x.size(dim) - 1
        x = x.narrow(dim, 1, size) - x.narrow(dim, 0, size)
    return x


def torch__weight_norm(v, g, dim=0):
    return v * (g / v.norm(2, [i for i in range(v.dim()) if i != dim], True))


def torch_std_mean(self, dim=None, unbiased=True, keepdim=False):
    return self.std(dim, unbiased, keepdim), self.mean(dim, keepdim)


def torch_hstack(tensors):
    return torch.cat(tensors, 0 if tensors[0].dim() == 1 else 1)


def torch_vstack(tensors):
    return torch.cat([t.unsqueeze(0) if t.dim() == 1 else t for t in tensors], 0)


def torch_dstack(tensors):
    return torch.cat([t.unsqueeze(-1) if t.dim() == 2 else t for t in tensors], 2)


def torch_diagonal(self, offset=0, dim1=0, dim2=1):
    n = self.size(dim1)
    return torch.stack([self.select(dim1, i).select(dim2 - 1 if dim2 > dim1 else dim2, i + offset)
                        for i in range(n)], -1)


def torch_finfo(dtype):
    return FloatInfo()


def torch_iinfo(dtype):
    return IntInfo()


class FloatInfo:
    min = -3.4028234663852886e+38
    max = 3.4028234663852886e+38
    eps = 1.1920928955078125e-07
    tiny = 1.1754943508222875e-38


class IntInfo:
    min = -9223372036854775807
    max = 9223372036854775807


def tensor_astype(self, dtype, copy=True):
    return self.type(torch.float64 if dtype is float else dtype)  # float is numpy's, of 64 bits


def tensor_copy(self):
    return self.clone()
