# torchvision.models: the architectures with the names that their state_dicts
# use, after the papers and the names and shapes of the published weights. For
# weights without a class, for pickled modules of these classes, and for sources
# that build on them.
import math
import torch
import torch.nn as nn
import torch.nn.functional as F


def round_to(v, divisor=8, least=None):
    out = max(least or divisor, int(v + divisor / 2) // divisor * divisor)
    return out + divisor if out < 0.9 * v else out


# building blocks (torchvision.ops)

class ConvNormActivation(nn.Sequential):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=None, groups=1,
                 norm_layer=nn.BatchNorm2d, activation_layer=nn.ReLU, dilation=1, inplace=True, bias=None,
                 conv_layer=nn.Conv2d):
        if padding is None:
            if isinstance(kernel_size, int):
                padding = (kernel_size - 1) // 2 * dilation
            else:
                padding = tuple((k - 1) // 2 * dilation for k in kernel_size)
        layers = [conv_layer(in_channels, out_channels, kernel_size, stride, padding, dilation=dilation,
                             groups=groups, bias=norm_layer is None if bias is None else bias)]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer())
        super().__init__(*layers)


class Conv2dNormActivation(ConvNormActivation):
    pass


class ConvBNReLU(ConvNormActivation):
    pass


class ConvBNActivation(ConvNormActivation):
    pass


class SqueezeExcitation(nn.Module):
    def __init__(self, input_channels, squeeze_channels, activation=nn.ReLU, scale_activation=nn.Sigmoid):
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, input):
        scale = self.fc2(self.activation(self.fc1(self.avgpool(input))))
        return input * self.scale_activation(scale)


class StochasticDepth(nn.Module):
    def __init__(self, p=0.0, mode='row'):
        self.p = p

    def forward(self, input):
        return input


class Permute(nn.Module):
    def __init__(self, dims):
        self.dims = dims

    def forward(self, x):
        return torch.permute(x, self.dims)


class MLP(nn.Sequential):
    def __init__(self, in_channels, hidden_channels, norm_layer=None, activation_layer=nn.ReLU, inplace=None, bias=True,
                 dropout=0.0):
        layers = []
        for width in hidden_channels[:-1]:
            layers.append(nn.Linear(in_channels, width, bias))
            if norm_layer is not None:
                layers.append(norm_layer(width))
            layers += [activation_layer(), nn.Dropout(dropout)]
            in_channels = width
        super().__init__(*(layers + [nn.Linear(in_channels, hidden_channels[-1], bias), nn.Dropout(dropout)]))


class FrozenBatchNorm2d(nn.Module):
    eps = 1e-5

    def __init__(self, num_features, eps=1e-5):
        self.eps = eps
        for name in ('weight', 'bias', 'running_mean', 'running_var'):
            self.register_buffer(name, torch.empty(num_features))

    def forward(self, x):
        return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var, False, 0.1, self.eps)


# ResNet

def conv3x3(in_planes, out_planes, stride=1, groups=1, dilation=1):
    return nn.Conv2d(in_planes, out_planes, 3, stride, dilation, dilation, groups, False)


class BasicBlock(nn.Module):
    expansion = 1
    downsample = None

    def __init__(self, inplanes, planes, stride=1, downsample=None, groups=1, base_width=64, dilation=1,
                 norm_layer=None):
        norm = norm_layer or nn.BatchNorm2d
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = norm(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = norm(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    expansion = 4
    downsample = None

    def __init__(self, inplanes, planes, stride=1, downsample=None, groups=1, base_width=64, dilation=1,
                 norm_layer=None):
        norm = norm_layer or nn.BatchNorm2d
        width = int(planes * (base_width / 64.0)) * groups
        self.conv1 = nn.Conv2d(inplanes, width, 1, bias=False)
        self.bn1 = norm(width)
        self.conv2 = conv3x3(width, width, stride, groups, dilation)
        self.bn2 = norm(width)
        self.conv3 = nn.Conv2d(width, planes * 4, 1, bias=False)
        self.bn3 = norm(planes * 4)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, block, layers, num_classes=1000, zero_init_residual=False, groups=1, width_per_group=64,
                 replace_stride_with_dilation=None, norm_layer=None):
        self._norm_layer = norm_layer or nn.BatchNorm2d
        self.inplanes = 64
        self.dilation = 1
        dilate = replace_stride_with_dilation or [False, False, False]
        self.groups = groups
        self.base_width = width_per_group
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = self._norm_layer(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], 2, dilate[0])
        self.layer3 = self._make_layer(block, 256, layers[2], 2, dilate[1])
        self.layer4 = self._make_layer(block, 512, layers[3], 2, dilate[2])
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)

    def _make_layer(self, block, planes, blocks, stride=1, dilate=False):
        before = self.dilation
        if dilate:
            self.dilation *= stride
            stride = 1
        downsample = None
        if stride != 1 or self.inplanes != planes * block.expansion:
            downsample = nn.Sequential(nn.Conv2d(self.inplanes, planes * block.expansion, 1, stride, bias=False),
                                       self._norm_layer(planes * block.expansion))
        layers = [block(self.inplanes, planes, stride, downsample, self.groups, self.base_width, before,
                        self._norm_layer)]
        self.inplanes = planes * block.expansion
        for _ in range(1, blocks):
            layers.append(block(self.inplanes, planes, groups=self.groups, base_width=self.base_width,
                                dilation=self.dilation, norm_layer=self._norm_layer))
        return nn.Sequential(*layers)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def resnet18(weights=None, progress=True, pretrained=False, **kwargs):
    return ResNet(BasicBlock, [2, 2, 2, 2], **kwargs)


def resnet34(weights=None, progress=True, pretrained=False, **kwargs):
    return ResNet(BasicBlock, [3, 4, 6, 3], **kwargs)


def resnet50(weights=None, progress=True, pretrained=False, **kwargs):
    return ResNet(Bottleneck, [3, 4, 6, 3], **kwargs)


def resnet101(weights=None, progress=True, pretrained=False, **kwargs):
    return ResNet(Bottleneck, [3, 4, 23, 3], **kwargs)


def resnet152(weights=None, progress=True, pretrained=False, **kwargs):
    return ResNet(Bottleneck, [3, 8, 36, 3], **kwargs)


def resnext50_32x4d(weights=None, progress=True, pretrained=False, **kwargs):
    return ResNet(Bottleneck, [3, 4, 6, 3], groups=32, width_per_group=4, **kwargs)


def resnext101_32x8d(weights=None, progress=True, pretrained=False, **kwargs):
    return ResNet(Bottleneck, [3, 4, 23, 3], groups=32, width_per_group=8, **kwargs)


def resnext101_64x4d(weights=None, progress=True, pretrained=False, **kwargs):
    return ResNet(Bottleneck, [3, 4, 23, 3], groups=64, width_per_group=4, **kwargs)


def wide_resnet50_2(weights=None, progress=True, pretrained=False, **kwargs):
    return ResNet(Bottleneck, [3, 4, 6, 3], width_per_group=128, **kwargs)


def wide_resnet101_2(weights=None, progress=True, pretrained=False, **kwargs):
    return ResNet(Bottleneck, [3, 4, 23, 3], width_per_group=128, **kwargs)


# AlexNet, VGG, SqueezeNet

class AlexNet(nn.Module):
    def __init__(self, num_classes=1000, dropout=0.5):
        relu = nn.ReLU
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, 4, 2), relu(), nn.MaxPool2d(3, 2), nn.Conv2d(64, 192, 5, padding=2), relu(),
            nn.MaxPool2d(3, 2), nn.Conv2d(192, 384, 3, padding=1), relu(), nn.Conv2d(384, 256, 3, padding=1), relu(),
            nn.Conv2d(256, 256, 3, padding=1), relu(), nn.MaxPool2d(3, 2))
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(9216, 4096), relu(), nn.Dropout(dropout),
                                        nn.Linear(4096, 4096), relu(), nn.Linear(4096, num_classes))

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


def alexnet(weights=None, progress=True, pretrained=False, **kwargs):
    return AlexNet(**kwargs)


class VGG(nn.Module):
    def __init__(self, features, num_classes=1000, init_weights=True, dropout=0.5):
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(nn.Linear(25088, 4096), nn.ReLU(True), nn.Dropout(dropout),
                                        nn.Linear(4096, 4096), nn.ReLU(True), nn.Dropout(dropout),
                                        nn.Linear(4096, num_classes))

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


def vgg(counts, batch_norm, **kwargs):
    layers, channels = [], 3
    for width, count in zip([64, 128, 256, 512, 512], counts):
        for _ in range(count):
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU(inplace=True))
            channels = width
        layers.append(nn.MaxPool2d(2, 2))
    return VGG(nn.Sequential(*layers), **kwargs)


def vgg11(weights=None, progress=True, pretrained=False, **kwargs):
    return vgg([1, 1, 2, 2, 2], False, **kwargs)


def vgg13(weights=None, progress=True, pretrained=False, **kwargs):
    return vgg([2, 2, 2, 2, 2], False, **kwargs)


def vgg16(weights=None, progress=True, pretrained=False, **kwargs):
    return vgg([2, 2, 3, 3, 3], False, **kwargs)


def vgg19(weights=None, progress=True, pretrained=False, **kwargs):
    return vgg([2, 2, 4, 4, 4], False, **kwargs)


def vgg11_bn(weights=None, progress=True, pretrained=False, **kwargs):
    return vgg([1, 1, 2, 2, 2], True, **kwargs)


def vgg13_bn(weights=None, progress=True, pretrained=False, **kwargs):
    return vgg([2, 2, 2, 2, 2], True, **kwargs)


def vgg16_bn(weights=None, progress=True, pretrained=False, **kwargs):
    return vgg([2, 2, 3, 3, 3], True, **kwargs)


def vgg19_bn(weights=None, progress=True, pretrained=False, **kwargs):
    return vgg([2, 2, 4, 4, 4], True, **kwargs)


class Fire(nn.Module):
    def __init__(self, inplanes, squeeze_planes, expand1x1_planes, expand3x3_planes):
        self.squeeze = nn.Conv2d(inplanes, squeeze_planes, 1)
        self.expand1x1 = nn.Conv2d(squeeze_planes, expand1x1_planes, 1)
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand3x3_planes, 3, padding=1)

    def forward(self, x):
        x = torch.relu(self.squeeze(x))
        return torch.cat([torch.relu(self.expand1x1(x)), torch.relu(self.expand3x3(x))], 1)


class SqueezeNet(nn.Module):
    def __init__(self, version='1_0', num_classes=1000, dropout=0.5):
        def pool():
            return nn.MaxPool2d(3, 2, ceil_mode=True)

        def fire(n, squeeze, expand):
            return Fire(n, squeeze, expand, expand)

        if version == '1_0':
            self.features = nn.Sequential(
                nn.Conv2d(3, 96, 7, 2), nn.ReLU(), pool(), fire(96, 16, 64), fire(128, 16, 64), fire(128, 32, 128),
                pool(), fire(256, 32, 128), fire(256, 48, 192), fire(384, 48, 192), fire(384, 64, 256), pool(),
                fire(512, 64, 256))
        else:
            self.features = nn.Sequential(
                nn.Conv2d(3, 64, 3, 2), nn.ReLU(), pool(), fire(64, 16, 64), fire(128, 16, 64), pool(),
                fire(128, 32, 128), fire(256, 32, 128), pool(), fire(256, 48, 192), fire(384, 48, 192),
                fire(384, 64, 256), fire(512, 64, 256))
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Conv2d(512, num_classes, 1), nn.ReLU(),
                                        nn.AdaptiveAvgPool2d((1, 1)))

    def forward(self, x):
        return torch.flatten(self.classifier(self.features(x)), 1)


def squeezenet1_0(weights=None, progress=True, pretrained=False, **kwargs):
    return SqueezeNet('1_0', **kwargs)


def squeezenet1_1(weights=None, progress=True, pretrained=False, **kwargs):
    return SqueezeNet('1_1', **kwargs)


# DenseNet

class _DenseLayer(nn.Module):
    def __init__(self, num_input_features, growth_rate, bn_size, drop_rate=0, memory_efficient=False):
        self.norm1 = nn.BatchNorm2d(num_input_features)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(num_input_features, bn_size * growth_rate, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(bn_size * growth_rate)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(bn_size * growth_rate, growth_rate, 3, padding=1, bias=False)

    def forward(self, input):
        x = torch.cat(input, 1) if isinstance(input, list) else input
        x = self.conv1(self.relu1(self.norm1(x)))
        return self.conv2(self.relu2(self.norm2(x)))


class _DenseBlock(nn.ModuleDict):
    def __init__(self, num_layers, num_input_features, bn_size, growth_rate, drop_rate=0, memory_efficient=False):
        for i in range(num_layers):
            setattr(self, 'denselayer%d' % (i + 1),
                    _DenseLayer(num_input_features + i * growth_rate, growth_rate, bn_size))

    def forward(self, init_features):
        features = [init_features]
        for layer in self.children():
            features.append(layer(features))
        return torch.cat(features, 1)


class _Transition(nn.Sequential):
    def __init__(self, num_input_features, num_output_features):
        self.norm = nn.BatchNorm2d(num_input_features)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(num_input_features, num_output_features, 1, bias=False)
        self.pool = nn.AvgPool2d(2, 2)


class DenseNet(nn.Module):
    def __init__(self, growth_rate=32, block_config=(6, 12, 24, 16), num_init_features=64, bn_size=4, drop_rate=0,
                 num_classes=1000, memory_efficient=False):
        n = num_init_features
        parts = {'conv0': nn.Conv2d(3, n, 7, 2, 3, bias=False), 'norm0': nn.BatchNorm2d(n),
                 'relu0': nn.ReLU(inplace=True), 'pool0': nn.MaxPool2d(3, 2, 1)}
        for i, count in enumerate(block_config):
            parts['denseblock%d' % (i + 1)] = _DenseBlock(count, n, bn_size, growth_rate)
            n += count * growth_rate
            if i != len(block_config) - 1:
                parts['transition%d' % (i + 1)] = _Transition(n, n // 2)
                n = n // 2
        parts['norm5'] = nn.BatchNorm2d(n)
        self.features = nn.Sequential(parts)
        self.classifier = nn.Linear(n, num_classes)

    def forward(self, x):
        x = torch.relu(self.features(x))
        return self.classifier(torch.flatten(F.adaptive_avg_pool2d(x, (1, 1)), 1))


def densenet121(weights=None, progress=True, pretrained=False, **kwargs):
    return DenseNet(32, (6, 12, 24, 16), 64, **kwargs)


def densenet161(weights=None, progress=True, pretrained=False, **kwargs):
    return DenseNet(48, (6, 12, 36, 24), 96, **kwargs)


def densenet169(weights=None, progress=True, pretrained=False, **kwargs):
    return DenseNet(32, (6, 12, 32, 32), 64, **kwargs)


def densenet201(weights=None, progress=True, pretrained=False, **kwargs):
    return DenseNet(32, (6, 12, 48, 32), 64, **kwargs)


# GoogLeNet and Inception

class BasicConv2d(nn.Module):
    def __init__(self, in_channels, out_channels, **kwargs):
        self.conv = nn.Conv2d(in_channels, out_channels, bias=False, **kwargs)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x):
        return torch.relu(self.bn(self.conv(x)))


def conv(a, b, k, **kwargs):
    return BasicConv2d(a, b, kernel_size=k, **kwargs)


class Inception(nn.Module):
    def __init__(self, in_channels, ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, pool_proj, conv_block=None):
        self.branch1 = conv(in_channels, ch1x1, 1)
        self.branch2 = nn.Sequential(conv(in_channels, ch3x3red, 1), conv(ch3x3red, ch3x3, 3, padding=1))
        self.branch3 = nn.Sequential(conv(in_channels, ch5x5red, 1), conv(ch5x5red, ch5x5, 3, padding=1))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), conv(in_channels, pool_proj, 1))

    def forward(self, x):
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class InceptionAux(nn.Module):
    def __init__(self, in_channels, num_classes, conv_block=None, dropout=0.7):
        self.conv = conv(in_channels, 128, 1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, num_classes)


def normalize_again(x):
    scale, shift = [0.458, 0.448, 0.450], [-0.030, -0.088, -0.188]
    return torch.cat([x[:, i:i + 1] * scale[i] + shift[i] for i in range(3)], 1)


class GoogLeNet(nn.Module):
    transform_input = False

    def __init__(self, num_classes=1000, aux_logits=True, transform_input=False, init_weights=None, blocks=None,
                 dropout=0.2, dropout_aux=0.7):
        self.transform_input = transform_input
        self.conv1 = conv(3, 64, 7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2 = conv(64, 64, 1)
        self.conv3 = conv(64, 192, 3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64)
        self.maxpool3 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128)
        self.maxpool4 = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128)
        self.aux1 = InceptionAux(512, num_classes) if aux_logits else None
        self.aux2 = InceptionAux(528, num_classes) if aux_logits else None
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(1024, num_classes)

    def forward(self, x):
        x = normalize_again(x) if self.transform_input else x
        x = self.maxpool2(self.conv3(self.conv2(self.maxpool1(self.conv1(x)))))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        x = self.inception4e(self.inception4d(self.inception4c(self.inception4b(self.inception4a(x)))))
        x = self.inception5b(self.inception5a(self.maxpool4(x)))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def googlenet(weights=None, progress=True, pretrained=False, **kwargs):
    return GoogLeNet(**kwargs)


def googlenet_plain(num_classes=1000):
    return GoogLeNet(num_classes, aux_logits=False)


class InceptionA(nn.Module):
    def __init__(self, in_channels, pool_features, conv_block=None):
        self.branch1x1 = conv(in_channels, 64, 1)
        self.branch5x5_1 = conv(in_channels, 48, 1)
        self.branch5x5_2 = conv(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = conv(in_channels, 64, 1)
        self.branch3x3dbl_2 = conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = conv(96, 96, 3, padding=1)
        self.branch_pool = conv(in_channels, pool_features, 1)

    def forward(self, x):
        return torch.cat([self.branch1x1(x), self.branch5x5_2(self.branch5x5_1(x)),
                          self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x))),
                          self.branch_pool(F.avg_pool2d(x, 3, 1, 1))], 1)


class InceptionB(nn.Module):
    def __init__(self, in_channels, conv_block=None):
        self.branch3x3 = conv(in_channels, 384, 3, stride=2)
        self.branch3x3dbl_1 = conv(in_channels, 64, 1)
        self.branch3x3dbl_2 = conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = conv(96, 96, 3, stride=2)

    def forward(self, x):
        return torch.cat([self.branch3x3(x), self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x))),
                          F.max_pool2d(x, 3, 2)], 1)


class InceptionC(nn.Module):
    def __init__(self, in_channels, channels_7x7, conv_block=None):
        c, row, column = channels_7x7, dict(k=(1, 7), padding=(0, 3)), dict(k=(7, 1), padding=(3, 0))
        self.branch1x1 = conv(in_channels, 192, 1)
        self.branch7x7_1 = conv(in_channels, c, 1)
        self.branch7x7_2 = conv(c, c, **row)
        self.branch7x7_3 = conv(c, 192, **column)
        self.branch7x7dbl_1 = conv(in_channels, c, 1)
        self.branch7x7dbl_2 = conv(c, c, **column)
        self.branch7x7dbl_3 = conv(c, c, **row)
        self.branch7x7dbl_4 = conv(c, c, **column)
        self.branch7x7dbl_5 = conv(c, 192, **row)
        self.branch_pool = conv(in_channels, 192, 1)

    def forward(self, x):
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        return torch.cat([self.branch1x1(x), self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x))),
                          self.branch7x7dbl_5(self.branch7x7dbl_4(double)),
                          self.branch_pool(F.avg_pool2d(x, 3, 1, 1))], 1)


class InceptionD(nn.Module):
    def __init__(self, in_channels, conv_block=None):
        self.branch3x3_1 = conv(in_channels, 192, 1)
        self.branch3x3_2 = conv(192, 320, 3, stride=2)
        self.branch7x7x3_1 = conv(in_channels, 192, 1)
        self.branch7x7x3_2 = conv(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = conv(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = conv(192, 192, 3, stride=2)

    def forward(self, x):
        long = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), long, F.max_pool2d(x, 3, 2)], 1)


class InceptionE(nn.Module):
    def __init__(self, in_channels, conv_block=None):
        self.branch1x1 = conv(in_channels, 320, 1)
        self.branch3x3_1 = conv(in_channels, 384, 1)
        self.branch3x3_2a = conv(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = conv(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = conv(in_channels, 448, 1)
        self.branch3x3dbl_2 = conv(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = conv(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = conv(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = conv(in_channels, 192, 1)

    def forward(self, x):
        one = self.branch3x3_1(x)
        two = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return torch.cat([self.branch1x1(x), self.branch3x3_2a(one), self.branch3x3_2b(one),
                          self.branch3x3dbl_3a(two), self.branch3x3dbl_3b(two),
                          self.branch_pool(F.avg_pool2d(x, 3, 1, 1))], 1)


class InceptionV3Aux(nn.Module):
    def __init__(self, in_channels, num_classes):
        self.conv0 = conv(in_channels, 128, 1)
        self.conv1 = conv(128, 768, 5)
        self.fc = nn.Linear(768, num_classes)


class Inception3(nn.Module):
    transform_input = False

    def __init__(self, num_classes=1000, aux_logits=True, transform_input=False, inception_blocks=None,
                 init_weights=None, dropout=0.5):
        self.transform_input = transform_input
        self.Conv2d_1a_3x3 = conv(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = conv(32, 32, 3)
        self.Conv2d_2b_3x3 = conv(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = conv(64, 80, 1)
        self.Conv2d_4a_3x3 = conv(80, 192, 3)
        self.Mixed_5b = InceptionA(192, 32)
        self.Mixed_5c = InceptionA(256, 64)
        self.Mixed_5d = InceptionA(288, 64)
        self.Mixed_6a = InceptionB(288)
        self.Mixed_6b = InceptionC(768, 128)
        self.Mixed_6c = InceptionC(768, 160)
        self.Mixed_6d = InceptionC(768, 160)
        self.Mixed_6e = InceptionC(768, 192)
        self.AuxLogits = InceptionV3Aux(768, num_classes) if aux_logits else None
        self.Mixed_7a = InceptionD(768)
        self.Mixed_7b = InceptionE(1280)
        self.Mixed_7c = InceptionE(2048)
        self.fc = nn.Linear(2048, num_classes)

    def forward(self, x):
        x = normalize_again(x) if self.transform_input else x
        x = F.max_pool2d(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))), 3, 2)
        x = F.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, 2)
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, (1, 1)), 1))


def inception_v3(weights=None, progress=True, pretrained=False, **kwargs):
    return Inception3(**kwargs)


def inception_v3_plain(num_classes=1000):
    return Inception3(num_classes, aux_logits=False)


# MobileNet, MNASNet, ShuffleNet

class InvertedResidual(nn.Module):
    def __init__(self, inp, oup, stride, expand_ratio, norm_layer=None):
        hidden = int(round(inp * expand_ratio))
        self.use_res_connect = stride == 1 and inp == oup
        layers = []
        if expand_ratio != 1:
            layers.append(ConvNormActivation(inp, hidden, 1, activation_layer=nn.ReLU6))
        layers += [ConvNormActivation(hidden, hidden, 3, stride, groups=hidden, activation_layer=nn.ReLU6),
                   nn.Conv2d(hidden, oup, 1, bias=False), nn.BatchNorm2d(oup)]
        self.conv = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, num_classes=1000, width_mult=1.0, inverted_residual_setting=None, round_nearest=8, block=None,
                 norm_layer=None, dropout=0.2):
        setting = inverted_residual_setting or [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2],
                                                [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]]
        n = round_to(32 * width_mult, round_nearest)
        self.last_channel = round_to(1280 * max(1.0, width_mult), round_nearest)
        features = [ConvNormActivation(3, n, 3, 2, activation_layer=nn.ReLU6)]
        for expand, width, count, stride in setting:
            out = round_to(width * width_mult, round_nearest)
            for i in range(count):
                features.append(InvertedResidual(n, out, stride if i == 0 else 1, expand))
                n = out
        features.append(ConvNormActivation(n, self.last_channel, 1, activation_layer=nn.ReLU6))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.last_channel, num_classes))

    def forward(self, x):
        x = F.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(torch.flatten(x, 1))


def mobilenet_v2(weights=None, progress=True, pretrained=False, **kwargs):
    return MobileNetV2(**kwargs)


class MobileBlockV3(nn.Module):
    def __init__(self, inp, kernel, hidden, out, excite, activation, stride, dilation=1):
        self.use_res_connect = stride == 1 and inp == out
        act = nn.Hardswish if activation == 'HS' else nn.ReLU
        norm = small_norm
        layers = []
        if hidden != inp:
            layers.append(ConvNormActivation(inp, hidden, 1, norm_layer=norm, activation_layer=act))
        layers.append(ConvNormActivation(hidden, hidden, kernel, 1 if dilation > 1 else stride, groups=hidden,
                                         norm_layer=norm, activation_layer=act, dilation=dilation))
        if excite:
            layers.append(SqueezeExcitation(hidden, round_to(hidden // 4), scale_activation=nn.Hardsigmoid))
        layers.append(ConvNormActivation(hidden, out, 1, norm_layer=norm, activation_layer=None))
        self.block = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.block(x) if self.use_res_connect else self.block(x)


def small_norm(n):
    return nn.BatchNorm2d(n, eps=0.001, momentum=0.01)


class MobileNetV3(nn.Module):
    def __init__(self, setting, last_channel, num_classes=1000, dropout=0.2, **kwargs):
        features = [ConvNormActivation(3, 16, 3, 2, norm_layer=small_norm, activation_layer=nn.Hardswish)]
        for row in setting:
            features.append(MobileBlockV3(*row))
        n = setting[-1][3]
        features.append(ConvNormActivation(n, 6 * n, 1, norm_layer=small_norm, activation_layer=nn.Hardswish))
        self.features = nn.Sequential(*features)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Linear(6 * n, last_channel), nn.Hardswish(inplace=True),
                                        nn.Dropout(dropout), nn.Linear(last_channel, num_classes))

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


def mobile_v3_large(dilation=1):
    return [[16, 3, 16, 16, False, 'RE', 1], [16, 3, 64, 24, False, 'RE', 2],
            [24, 3, 72, 24, False, 'RE', 1], [24, 5, 72, 40, True, 'RE', 2],
            [40, 5, 120, 40, True, 'RE', 1], [40, 5, 120, 40, True, 'RE', 1],
            [40, 3, 240, 80, False, 'HS', 2], [80, 3, 200, 80, False, 'HS', 1],
            [80, 3, 184, 80, False, 'HS', 1], [80, 3, 184, 80, False, 'HS', 1],
            [80, 3, 480, 112, True, 'HS', 1], [112, 3, 672, 112, True, 'HS', 1],
            [112, 5, 672, 160, True, 'HS', 2, dilation], [160, 5, 960, 160, True, 'HS', 1, dilation],
            [160, 5, 960, 160, True, 'HS', 1, dilation]]


def mobilenet_v3_large(weights=None, progress=True, pretrained=False, **kwargs):
    return MobileNetV3(mobile_v3_large(), 1280, **kwargs)


def mobilenet_v3_small(weights=None, progress=True, pretrained=False, **kwargs):
    return MobileNetV3([[16, 3, 16, 16, True, 'RE', 2], [16, 3, 72, 24, False, 'RE', 2],
                        [24, 3, 88, 24, False, 'RE', 1], [24, 5, 96, 40, True, 'HS', 2],
                        [40, 5, 240, 40, True, 'HS', 1], [40, 5, 240, 40, True, 'HS', 1],
                        [40, 5, 120, 48, True, 'HS', 1], [48, 5, 144, 48, True, 'HS', 1],
                        [48, 5, 288, 96, True, 'HS', 2], [96, 5, 576, 96, True, 'HS', 1],
                        [96, 5, 576, 96, True, 'HS', 1]], 1024, **kwargs)


class MnasBlock(nn.Module):
    def __init__(self, inp, out, kernel, stride, expand):
        hidden = inp * expand
        self.apply_residual = inp == out and stride == 1
        self.layers = nn.Sequential(
            nn.Conv2d(inp, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU(inplace=True),
            nn.Conv2d(hidden, hidden, kernel, stride, kernel // 2, groups=hidden, bias=False), nn.BatchNorm2d(hidden),
            nn.ReLU(inplace=True), nn.Conv2d(hidden, out, 1, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        return self.layers(x) + x if self.apply_residual else self.layers(x)


class MNASNet(nn.Module):
    def __init__(self, alpha, num_classes=1000, dropout=0.2):
        def up(v):
            out = max(8, int(v + 4) // 8 * 8)
            return out if out >= 0.9 * v else out + 8

        d = [up(v * alpha) for v in [32, 16, 24, 40, 80, 96, 192, 320]]
        layers = [nn.Conv2d(3, d[0], 3, 2, 1, bias=False), nn.BatchNorm2d(d[0]), nn.ReLU(inplace=True),
                  nn.Conv2d(d[0], d[0], 3, 1, 1, groups=d[0], bias=False), nn.BatchNorm2d(d[0]), nn.ReLU(inplace=True),
                  nn.Conv2d(d[0], d[1], 1, bias=False), nn.BatchNorm2d(d[1])]
        for i, (kernel, stride, expand, count) in enumerate([(3, 2, 3, 3), (5, 2, 3, 3), (5, 2, 6, 3), (3, 1, 6, 2),
                                                            (5, 2, 6, 4), (3, 1, 6, 1)]):
            blocks = [MnasBlock(d[i + 1], d[i + 2], kernel, stride, expand)]
            for _ in range(count - 1):
                blocks.append(MnasBlock(d[i + 2], d[i + 2], kernel, 1, expand))
            layers.append(nn.Sequential(*blocks))
        layers += [nn.Conv2d(d[7], 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(1280, num_classes))

    def forward(self, x):
        return self.classifier(self.layers(x).mean([2, 3]))


def mnasnet0_5(weights=None, progress=True, pretrained=False, **kwargs):
    return MNASNet(0.5, **kwargs)


def mnasnet0_75(weights=None, progress=True, pretrained=False, **kwargs):
    return MNASNet(0.75, **kwargs)


def mnasnet1_0(weights=None, progress=True, pretrained=False, **kwargs):
    return MNASNet(1.0, **kwargs)


def mnasnet1_3(weights=None, progress=True, pretrained=False, **kwargs):
    return MNASNet(1.3, **kwargs)


class ShuffleBlock(nn.Module):
    def __init__(self, inp, out, stride):
        half = out // 2
        self.stride = stride
        if stride > 1:
            self.branch1 = nn.Sequential(nn.Conv2d(inp, inp, 3, stride, 1, groups=inp, bias=False),
                                         nn.BatchNorm2d(inp), nn.Conv2d(inp, half, 1, bias=False),
                                         nn.BatchNorm2d(half), nn.ReLU(inplace=True))
        else:
            self.branch1 = nn.Sequential()
        self.branch2 = nn.Sequential(
            nn.Conv2d(inp if stride > 1 else half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(inplace=True),
            nn.Conv2d(half, half, 3, stride, 1, groups=half, bias=False), nn.BatchNorm2d(half),
            nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(inplace=True))

    def forward(self, x):
        if self.stride == 1:
            a, b = x.chunk(2, dim=1)
            out = torch.cat([a, self.branch2(b)], 1)
        else:
            out = torch.cat([self.branch1(x), self.branch2(x)], 1)
        return torch.channel_shuffle(out, 2)


class ShuffleNetV2(nn.Module):
    def __init__(self, stages_repeats, stages_out_channels, num_classes=1000, inverted_residual=None):
        n = stages_out_channels[0]
        self.conv1 = nn.Sequential(nn.Conv2d(3, n, 3, 2, 1, bias=False), nn.BatchNorm2d(n), nn.ReLU(inplace=True))
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        for i, count in enumerate(stages_repeats):
            out = stages_out_channels[i + 1]
            blocks = [ShuffleBlock(n, out, 2)] + [ShuffleBlock(out, out, 1) for _ in range(count - 1)]
            setattr(self, 'stage%d' % (i + 2), nn.Sequential(*blocks))
            n = out
        last = stages_out_channels[-1]
        self.conv5 = nn.Sequential(nn.Conv2d(n, last, 1, bias=False), nn.BatchNorm2d(last), nn.ReLU(inplace=True))
        self.fc = nn.Linear(last, num_classes)

    def forward(self, x):
        x = self.stage4(self.stage3(self.stage2(self.maxpool(self.conv1(x)))))
        return self.fc(self.conv5(x).mean([2, 3]))


def shufflenet_v2_x0_5(weights=None, progress=True, pretrained=False, **kwargs):
    return ShuffleNetV2([4, 8, 4], [24, 48, 96, 192, 1024], **kwargs)


def shufflenet_v2_x1_0(weights=None, progress=True, pretrained=False, **kwargs):
    return ShuffleNetV2([4, 8, 4], [24, 116, 232, 464, 1024], **kwargs)


def shufflenet_v2_x1_5(weights=None, progress=True, pretrained=False, **kwargs):
    return ShuffleNetV2([4, 8, 4], [24, 176, 352, 704, 1024], **kwargs)


def shufflenet_v2_x2_0(weights=None, progress=True, pretrained=False, **kwargs):
    return ShuffleNetV2([4, 8, 4], [24, 244, 488, 976, 2048], **kwargs)


# EfficientNet

class MBConv(nn.Module):
    def __init__(self, kernel, stride, inp, out, expand, norm, excite=True):
        hidden = round_to(inp * expand)
        self.use_res_connect = stride == 1 and inp == out
        layers = []
        if hidden != inp:
            layers.append(ConvNormActivation(inp, hidden, 1, norm_layer=norm, activation_layer=nn.SiLU))
        layers += [ConvNormActivation(hidden, hidden, kernel, stride, groups=hidden, norm_layer=norm,
                                      activation_layer=nn.SiLU),
                   SqueezeExcitation(hidden, max(1, inp // 4), activation=nn.SiLU),
                   ConvNormActivation(hidden, out, 1, norm_layer=norm, activation_layer=None)]
        self.block = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.block(x) if self.use_res_connect else self.block(x)


class FusedMBConv(nn.Module):
    def __init__(self, kernel, stride, inp, out, expand, norm):
        hidden = round_to(inp * expand)
        self.use_res_connect = stride == 1 and inp == out
        if hidden != inp:
            layers = [ConvNormActivation(inp, hidden, kernel, stride, norm_layer=norm, activation_layer=nn.SiLU),
                      ConvNormActivation(hidden, out, 1, norm_layer=norm, activation_layer=None)]
        else:
            layers = [ConvNormActivation(inp, out, kernel, stride, norm_layer=norm, activation_layer=nn.SiLU)]
        self.block = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.block(x) if self.use_res_connect else self.block(x)


class EfficientNet(nn.Module):
    def __init__(self, setting, last_channel=None, eps=1e-5, num_classes=1000, dropout=0.2, **kwargs):
        def norm(n):
            return nn.BatchNorm2d(n, eps=eps)

        first = setting[0][4]
        layers = [ConvNormActivation(3, first, 3, 2, norm_layer=norm, activation_layer=nn.SiLU)]
        for fused, expand, kernel, stride, inp, out, count in setting:
            block = FusedMBConv if fused else MBConv
            layers.append(nn.Sequential(*[block(kernel, stride if i == 0 else 1, inp if i == 0 else out, out, expand,
                                                norm) for i in range(count)]))
        n = setting[-1][5]
        last = last_channel or 4 * n
        layers.append(ConvNormActivation(n, last, 1, norm_layer=norm, activation_layer=nn.SiLU))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(last, num_classes))

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


def efficientnet(width, depth, eps=1e-5, **kwargs):
    rows = [[1, 3, 1, 32, 16, 1], [6, 3, 2, 16, 24, 2], [6, 5, 2, 24, 40, 2], [6, 3, 2, 40, 80, 3],
            [6, 5, 1, 80, 112, 3], [6, 5, 2, 112, 192, 4], [6, 3, 1, 192, 320, 1]]
    return EfficientNet([[False, e, k, s, round_to(i * width), round_to(o * width), math.ceil(n * depth)]
                         for e, k, s, i, o, n in rows], eps=eps, **kwargs)


def efficientnet_b0(weights=None, progress=True, pretrained=False, **kwargs):
    return efficientnet(1.0, 1.0, **kwargs)


def efficientnet_b1(weights=None, progress=True, pretrained=False, **kwargs):
    return efficientnet(1.0, 1.1, **kwargs)


def efficientnet_b2(weights=None, progress=True, pretrained=False, **kwargs):
    return efficientnet(1.1, 1.2, **kwargs)


def efficientnet_b3(weights=None, progress=True, pretrained=False, **kwargs):
    return efficientnet(1.2, 1.4, **kwargs)


def efficientnet_b4(weights=None, progress=True, pretrained=False, **kwargs):
    return efficientnet(1.4, 1.8, **kwargs)


def efficientnet_b5(weights=None, progress=True, pretrained=False, **kwargs):
    return efficientnet(1.6, 2.2, eps=0.001, **kwargs)


def efficientnet_b6(weights=None, progress=True, pretrained=False, **kwargs):
    return efficientnet(1.8, 2.6, eps=0.001, **kwargs)


def efficientnet_b7(weights=None, progress=True, pretrained=False, **kwargs):
    return efficientnet(2.0, 3.1, eps=0.001, **kwargs)


def efficientnet_v2_s(weights=None, progress=True, pretrained=False, **kwargs):
    return EfficientNet([[True, 1, 3, 1, 24, 24, 2], [True, 4, 3, 2, 24, 48, 4], [True, 4, 3, 2, 48, 64, 4],
                         [False, 4, 3, 2, 64, 128, 6], [False, 6, 3, 1, 128, 160, 9], [False, 6, 3, 2, 160, 256, 15]],
                        1280, 0.001, **kwargs)


def efficientnet_v2_m(weights=None, progress=True, pretrained=False, **kwargs):
    return EfficientNet([[True, 1, 3, 1, 24, 24, 3], [True, 4, 3, 2, 24, 48, 5], [True, 4, 3, 2, 48, 80, 5],
                         [False, 4, 3, 2, 80, 160, 7], [False, 6, 3, 1, 160, 176, 14], [False, 6, 3, 2, 176, 304, 18],
                         [False, 6, 3, 1, 304, 512, 5]], 1280, 0.001, **kwargs)


# RegNet

class RegBlock(nn.Module):
    proj = None

    def __init__(self, inp, out, stride, group_width, excite):
        if inp != out or stride != 1:
            self.proj = ConvNormActivation(inp, out, 1, stride, activation_layer=None)
        parts = {'a': ConvNormActivation(inp, out, 1),
                 'b': ConvNormActivation(out, out, 3, stride, groups=out // group_width)}
        if excite:
            parts['se'] = SqueezeExcitation(out, int(round(0.25 * inp)))
        parts['c'] = ConvNormActivation(out, out, 1, activation_layer=None)
        self.f = nn.Sequential(parts)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.activation((x if self.proj is None else self.proj(x)) + self.f(x))


class RegNet(nn.Module):
    def __init__(self, depth, w_0, w_a, w_m, group_width, excite, num_classes=1000, **kwargs):
        widths = []
        for i in range(depth):
            block = round(math.log((w_0 + w_a * i) / w_0) / math.log(w_m))
            widths.append(int(round(w_0 * w_m ** block / 8.0)) * 8)
        stages = []
        for w in widths:
            if stages and stages[-1][0] == w:
                stages[-1][1] += 1
            else:
                stages.append([w, 1])
        self.stem = ConvNormActivation(3, 32, 3, 2)
        blocks, n = {}, 32
        for s, (w, count) in enumerate(stages):
            group = min(group_width, w)
            w = round_to(w, group)
            stage = {}
            for i in range(count):
                stage['block%d-%d' % (s + 1, i)] = RegBlock(n if i == 0 else w, w, 2 if i == 0 else 1, group, excite)
            blocks['block%d' % (s + 1)] = nn.Sequential(stage)
            n = w
        self.trunk_output = nn.Sequential(blocks)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(n, num_classes)

    def forward(self, x):
        x = self.trunk_output(self.stem(x))
        return self.fc(self.avgpool(x).flatten(1))


def regnet_y_400mf(weights=None, progress=True, pretrained=False, **kwargs):
    return RegNet(16, 48, 27.89, 2.09, 8, True, **kwargs)


def regnet_y_800mf(weights=None, progress=True, pretrained=False, **kwargs):
    return RegNet(14, 56, 38.84, 2.4, 16, True, **kwargs)


def regnet_y_1_6gf(weights=None, progress=True, pretrained=False, **kwargs):
    return RegNet(27, 48, 20.71, 2.65, 24, True, **kwargs)


def regnet_y_3_2gf(weights=None, progress=True, pretrained=False, **kwargs):
    return RegNet(21, 80, 42.63, 2.66, 24, True, **kwargs)


def regnet_y_8gf(weights=None, progress=True, pretrained=False, **kwargs):
    return RegNet(17, 192, 76.82, 2.19, 56, True, **kwargs)


def regnet_x_400mf(weights=None, progress=True, pretrained=False, **kwargs):
    return RegNet(22, 24, 24.48, 2.54, 16, False, **kwargs)


def regnet_x_800mf(weights=None, progress=True, pretrained=False, **kwargs):
    return RegNet(16, 56, 35.73, 2.28, 16, False, **kwargs)


def regnet_x_1_6gf(weights=None, progress=True, pretrained=False, **kwargs):
    return RegNet(18, 80, 34.01, 2.25, 24, False, **kwargs)


def regnet_x_3_2gf(weights=None, progress=True, pretrained=False, **kwargs):
    return RegNet(25, 88, 26.31, 2.25, 48, False, **kwargs)


def regnet_x_8gf(weights=None, progress=True, pretrained=False, **kwargs):
    return RegNet(23, 80, 49.56, 2.88, 120, False, **kwargs)


# ConvNeXt

class LayerNorm2d(nn.LayerNorm):
    def forward(self, x):
        x = x.permute(0, 2, 3, 1)
        return torch.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps).permute(0, 3, 1, 2)


class CNBlock(nn.Module):
    def __init__(self, dim, layer_scale=1e-6, stochastic_depth_prob=0.0, norm_layer=None):
        self.block = nn.Sequential(nn.Conv2d(dim, dim, 7, padding=3, groups=dim), Permute([0, 2, 3, 1]),
                                   nn.LayerNorm(dim, eps=1e-6), nn.Linear(dim, 4 * dim), nn.GELU(),
                                   nn.Linear(4 * dim, dim), Permute([0, 3, 1, 2]))
        self.layer_scale = nn.Parameter(torch.empty(dim, 1, 1))

    def forward(self, input):
        return self.layer_scale * self.block(input) + input


class ConvNeXt(nn.Module):
    def __init__(self, dims, counts, num_classes=1000, **kwargs):
        layers = [nn.Sequential(nn.Conv2d(3, dims[0], 4, 4), LayerNorm2d(dims[0], eps=1e-6))]
        for i, (dim, count) in enumerate(zip(dims, counts)):
            layers.append(nn.Sequential(*[CNBlock(dim) for _ in range(count)]))
            if i + 1 < len(dims):
                layers.append(nn.Sequential(LayerNorm2d(dim, eps=1e-6), nn.Conv2d(dim, dims[i + 1], 2, 2)))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(LayerNorm2d(dims[-1], eps=1e-6), nn.Flatten(1),
                                        nn.Linear(dims[-1], num_classes))

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)))


def convnext_tiny(weights=None, progress=True, pretrained=False, **kwargs):
    return ConvNeXt([96, 192, 384, 768], [3, 3, 9, 3], **kwargs)


def convnext_small(weights=None, progress=True, pretrained=False, **kwargs):
    return ConvNeXt([96, 192, 384, 768], [3, 3, 27, 3], **kwargs)


def convnext_base(weights=None, progress=True, pretrained=False, **kwargs):
    return ConvNeXt([128, 256, 512, 1024], [3, 3, 27, 3], **kwargs)


def convnext_large(weights=None, progress=True, pretrained=False, **kwargs):
    return ConvNeXt([192, 384, 768, 1536], [3, 3, 27, 3], **kwargs)


# Vision Transformer

class MLPBlock(MLP):
    def __init__(self, in_dim, mlp_dim, dropout=0.0):
        super().__init__(in_dim, [mlp_dim, in_dim], activation_layer=nn.GELU)


class EncoderBlock(nn.Module):
    def __init__(self, num_heads, hidden_dim, mlp_dim):
        self.ln_1 = nn.LayerNorm(hidden_dim, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(hidden_dim, num_heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(hidden_dim, eps=1e-6)
        self.mlp = MLPBlock(hidden_dim, mlp_dim)

    def forward(self, input):
        x = self.ln_1(input)
        x = self.self_attention(x, x, x, need_weights=False)[0] + input
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    def __init__(self, seq_length, num_layers, num_heads, hidden_dim, mlp_dim):
        self.pos_embedding = nn.Parameter(torch.empty(1, seq_length, hidden_dim))
        self.layers = nn.Sequential(dict([('encoder_layer_%d' % i, EncoderBlock(num_heads, hidden_dim, mlp_dim))
                                          for i in range(num_layers)]))
        self.ln = nn.LayerNorm(hidden_dim, eps=1e-6)

    def forward(self, input):
        return self.ln(self.layers(input + self.pos_embedding))


class VisionTransformer(nn.Module):
    def __init__(self, image_size, patch_size, num_layers, num_heads, hidden_dim, mlp_dim, dropout=0.0,
                 attention_dropout=0.0, num_classes=1000, **kwargs):
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.conv_proj = nn.Conv2d(3, hidden_dim, patch_size, patch_size)
        self.class_token = nn.Parameter(torch.empty(1, 1, hidden_dim))
        self.encoder = Encoder((image_size // patch_size) ** 2 + 1, num_layers, num_heads, hidden_dim, mlp_dim)
        self.heads = nn.Sequential({'head': nn.Linear(hidden_dim, num_classes)})

    def forward(self, x):
        x = self.conv_proj(x).flatten(2).permute(0, 2, 1)
        x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], dim=1)
        return self.heads(self.encoder(x)[:, 0])


def vit_b_16(weights=None, progress=True, pretrained=False, image_size=224, **kwargs):
    return VisionTransformer(image_size, 16, 12, 12, 768, 3072, **kwargs)


def vit_b_32(weights=None, progress=True, pretrained=False, image_size=224, **kwargs):
    return VisionTransformer(image_size, 32, 12, 12, 768, 3072, **kwargs)


def vit_l_16(weights=None, progress=True, pretrained=False, image_size=224, **kwargs):
    return VisionTransformer(image_size, 16, 24, 16, 1024, 4096, **kwargs)


def vit_l_32(weights=None, progress=True, pretrained=False, image_size=224, **kwargs):
    return VisionTransformer(image_size, 32, 24, 16, 1024, 4096, **kwargs)


# Swin Transformer

class PatchMerging(nn.Module):
    def __init__(self, dim, norm_layer=None):
        self.dim = dim
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = nn.LayerNorm(4 * dim, eps=1e-5)

    def forward(self, x):
        h, w = x.shape[-3], x.shape[-2]
        x = F.pad(x, (0, 0, 0, w % 2, 0, h % 2))
        x = torch.cat([x[..., 0::2, 0::2, :], x[..., 1::2, 0::2, :], x[..., 0::2, 1::2, :], x[..., 1::2, 1::2, :]], -1)
        return self.reduction(self.norm(x))


class ShiftedWindowAttention(nn.Module):
    def __init__(self, dim, window_size, shift_size, num_heads):
        self.window_size = window_size
        self.shift_size = shift_size
        self.num_heads = num_heads
        m = window_size[0]
        self.qkv = nn.Linear(dim, dim * 3)
        self.proj = nn.Linear(dim, dim)
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * m - 1) ** 2, num_heads))
        self.register_buffer('relative_position_index', torch.zeros(m ** 4, dtype=torch.long))

    def forward(self, x):
        b, h, w, c = x.shape
        m, heads = self.window_size[0], self.num_heads
        x = F.pad(x, (0, 0, 0, (m - w % m) % m, 0, (m - h % m) % m))
        ph, pw = x.shape[1], x.shape[2]
        sh = 0 if m >= ph else self.shift_size[0]
        sw = 0 if m >= pw else self.shift_size[1]
        if sh + sw > 0:
            x = torch.roll(x, shifts=(-sh, -sw), dims=(1, 2))
        n = (ph // m) * (pw // m)
        x = x.view(b, ph // m, m, pw // m, m, c).permute(0, 1, 3, 2, 4, 5).reshape(b * n, m * m, c)
        qkv = self.qkv(x).reshape(b * n, m * m, 3, heads, c // heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0] * (c // heads) ** -0.5, qkv[1], qkv[2]
        attn = q.matmul(k.transpose(-2, -1))
        bias = self.relative_position_bias_table[self.relative_position_index.reshape(-1)]
        attn = attn + bias.view(m * m, m * m, -1).permute(2, 0, 1).unsqueeze(0)
        if sh + sw > 0:
            mask = torch.zeros(ph, pw)
            count = 0
            for rows in ((0, ph - m), (ph - m, ph - sh), (ph - sh, ph)):
                for columns in ((0, pw - m), (pw - m, pw - sw), (pw - sw, pw)):
                    mask[rows[0]:rows[1], columns[0]:columns[1]] = count
                    count += 1
            mask = mask.view(ph // m, m, pw // m, m).permute(0, 2, 1, 3).reshape(n, m * m)
            mask = mask.unsqueeze(1) - mask.unsqueeze(2)
            mask = mask.masked_fill(mask != 0, -100.0).masked_fill(mask == 0, 0.0)
            attn = attn.view(b, n, heads, m * m, m * m) + mask.unsqueeze(1).unsqueeze(0)
            attn = attn.view(-1, heads, m * m, m * m)
        x = torch.softmax(attn, -1).matmul(v).transpose(1, 2).reshape(b * n, m * m, c)
        x = self.proj(x).view(b, ph // m, pw // m, m, m, c).permute(0, 1, 3, 2, 4, 5).reshape(b, ph, pw, c)
        if sh + sw > 0:
            x = torch.roll(x, shifts=(sh, sw), dims=(1, 2))
        return x[:, :h, :w, :].contiguous()


class SwinTransformerBlock(nn.Module):
    def __init__(self, dim, num_heads, window_size, shift_size):
        self.norm1 = nn.LayerNorm(dim, eps=1e-5)
        self.attn = ShiftedWindowAttention(dim, window_size, shift_size, num_heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-5)
        self.mlp = MLP(dim, [4 * dim, dim], activation_layer=nn.GELU)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class SwinTransformer(nn.Module):
    def __init__(self, embed_dim, depths, num_heads, window=7, num_classes=1000, **kwargs):
        layers = [nn.Sequential(nn.Conv2d(3, embed_dim, 4, 4), Permute([0, 2, 3, 1]), nn.LayerNorm(embed_dim))]
        for i, depth in enumerate(depths):
            dim = embed_dim * 2 ** i
            layers.append(nn.Sequential(*[
                SwinTransformerBlock(dim, num_heads[i], [window, window],
                                     [0 if k % 2 == 0 else window // 2, 0 if k % 2 == 0 else window // 2])
                for k in range(depth)]))
            if i < len(depths) - 1:
                layers.append(PatchMerging(dim))
        self.features = nn.Sequential(*layers)
        n = embed_dim * 2 ** (len(depths) - 1)
        self.norm = nn.LayerNorm(n, eps=1e-5)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(n, num_classes)

    def forward(self, x):
        x = self.norm(self.features(x)).permute(0, 3, 1, 2)
        return self.head(torch.flatten(self.avgpool(x), 1))


def swin_t(weights=None, progress=True, pretrained=False, **kwargs):
    return SwinTransformer(96, [2, 2, 6, 2], [3, 6, 12, 24], **kwargs)


def swin_s(weights=None, progress=True, pretrained=False, **kwargs):
    return SwinTransformer(96, [2, 2, 18, 2], [3, 6, 12, 24], **kwargs)


def swin_b(weights=None, progress=True, pretrained=False, **kwargs):
    return SwinTransformer(128, [2, 2, 18, 2], [4, 8, 16, 32], **kwargs)


# segmentation

class FCNHead(nn.Sequential):
    def __init__(self, in_channels, channels):
        n = in_channels // 4
        super().__init__(nn.Conv2d(in_channels, n, 3, padding=1, bias=False), nn.BatchNorm2d(n), nn.ReLU(),
                         nn.Dropout(0.1), nn.Conv2d(n, channels, 1))


class ASPPPooling(nn.Sequential):
    def __init__(self, in_channels, out_channels):
        super().__init__(nn.AdaptiveAvgPool2d(1), nn.Conv2d(in_channels, out_channels, 1, bias=False),
                         nn.BatchNorm2d(out_channels), nn.ReLU())

    def forward(self, x):
        y = x
        for m in self.children():
            y = m(y)
        return F.interpolate(y, size=x.shape[-2:], mode='bilinear', align_corners=False)


class ASPP(nn.Module):
    def __init__(self, in_channels, atrous_rates, out_channels=256):
        def branch(k, rate):
            return nn.Sequential(nn.Conv2d(in_channels, out_channels, k, padding=0 if k == 1 else rate, dilation=rate,
                                           bias=False), nn.BatchNorm2d(out_channels), nn.ReLU())

        self.convs = nn.ModuleList([branch(1, 1)] + [branch(3, r) for r in atrous_rates]
                                   + [ASPPPooling(in_channels, out_channels)])
        self.project = nn.Sequential(nn.Conv2d(len(self.convs) * out_channels, out_channels, 1, bias=False),
                                     nn.BatchNorm2d(out_channels), nn.ReLU(), nn.Dropout(0.5))

    def forward(self, x):
        return self.project(torch.cat([c(x) for c in self.convs], dim=1))


class DeepLabHead(nn.Sequential):
    def __init__(self, in_channels, num_classes):
        super().__init__(ASPP(in_channels, [12, 24, 36]), nn.Conv2d(256, 256, 3, padding=1, bias=False),
                         nn.BatchNorm2d(256), nn.ReLU(), nn.Conv2d(256, num_classes, 1))


class SegmentationBackbone(nn.Module):
    def __init__(self, m):
        for name in ('conv1', 'bn1', 'relu', 'maxpool', 'layer1', 'layer2', 'layer3', 'layer4'):
            setattr(self, name, getattr(m, name))

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.maxpool(self.relu(self.bn1(self.conv1(x)))))))
        return x, self.layer4(x)


class SegmentationModel(nn.Module):
    aux_classifier = None

    def __init__(self, backbone, head, aux):
        self.backbone = backbone
        self.classifier = head
        if aux is not None:
            self.aux_classifier = aux

    def forward(self, x):
        size = x.shape[-2:]
        mid, top = self.backbone(x)
        out = {'out': F.interpolate(self.classifier(top), size=size, mode='bilinear', align_corners=False)}
        if self.aux_classifier is not None:
            out['aux'] = F.interpolate(self.aux_classifier(mid), size=size, mode='bilinear', align_corners=False)
        return out


def segmentation_of(layers, head, num_classes, aux_loss):
    backbone = ResNet(Bottleneck, layers, replace_stride_with_dilation=[False, True, True])
    return SegmentationModel(SegmentationBackbone(backbone), head(2048, num_classes),
                             FCNHead(1024, num_classes) if aux_loss else None)


def fcn_resnet50(weights=None, progress=True, pretrained=False, num_classes=21, aux_loss=None, **kwargs):
    return segmentation_of([3, 4, 6, 3], FCNHead, num_classes, aux_loss or pretrained or weights is not None)


def fcn_resnet101(weights=None, progress=True, pretrained=False, num_classes=21, aux_loss=None, **kwargs):
    return segmentation_of([3, 4, 23, 3], FCNHead, num_classes, aux_loss or pretrained or weights is not None)


def deeplabv3_resnet50(weights=None, progress=True, pretrained=False, num_classes=21, aux_loss=None, **kwargs):
    return segmentation_of([3, 4, 6, 3], DeepLabHead, num_classes, aux_loss or pretrained or weights is not None)


def deeplabv3_resnet101(weights=None, progress=True, pretrained=False, num_classes=21, aux_loss=None, **kwargs):
    return segmentation_of([3, 4, 23, 3], DeepLabHead, num_classes, aux_loss or pretrained or weights is not None)


class MobileBackbone(nn.Module):
    """MobileNet V3 large with the last stage dilated; its children are named by their places."""

    def __init__(self):
        for i, m in enumerate(MobileNetV3(mobile_v3_large(2), 1280).features):
            setattr(self, str(i), m)

    def forward(self, x):
        low = None
        for i, m in enumerate(self.children()):
            x = m(x)
            if i == 4:
                low = x
        return low, x


class LRASPPHead(nn.Module):
    def __init__(self, low_channels, high_channels, num_classes, inter_channels):
        self.cbr = nn.Sequential(nn.Conv2d(high_channels, inter_channels, 1, bias=False),
                                 nn.BatchNorm2d(inter_channels), nn.ReLU(inplace=True))
        self.scale = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(high_channels, inter_channels, 1, bias=False),
                                   nn.Sigmoid())
        self.low_classifier = nn.Conv2d(low_channels, num_classes, 1)
        self.high_classifier = nn.Conv2d(inter_channels, num_classes, 1)

    def forward(self, low, high):
        x = self.cbr(high) * self.scale(high)
        x = F.interpolate(x, size=low.shape[-2:], mode='bilinear', align_corners=False)
        return self.low_classifier(low) + self.high_classifier(x)


class LRASPP(nn.Module):
    def __init__(self, num_classes):
        self.backbone = MobileBackbone()
        self.classifier = LRASPPHead(40, 960, num_classes, 128)

    def forward(self, x):
        y = self.classifier(*self.backbone(x))
        return {'out': F.interpolate(y, size=x.shape[-2:], mode='bilinear', align_corners=False)}


def lraspp_mobilenet_v3_large(weights=None, progress=True, pretrained=False, num_classes=21, **kwargs):
    return LRASPP(num_classes)


def deeplabv3_mobilenet_v3_large(weights=None, progress=True, pretrained=False, num_classes=21, aux_loss=None,
                                 **kwargs):
    return SegmentationModel(MobileBackbone(), DeepLabHead(960, num_classes),
                             FCNHead(40, num_classes) if aux_loss or pretrained or weights is not None else None)


def deeplabv3_mobilenet_v3_large_aux(num_classes=21):
    return deeplabv3_mobilenet_v3_large(num_classes=num_classes, aux_loss=True)


def fcn_resnet50_aux(num_classes=21):
    return fcn_resnet50(num_classes=num_classes, aux_loss=True)


def fcn_resnet101_aux(num_classes=21):
    return fcn_resnet101(num_classes=num_classes, aux_loss=True)


def deeplabv3_resnet50_aux(num_classes=21):
    return deeplabv3_resnet50(num_classes=num_classes, aux_loss=True)


def deeplabv3_resnet101_aux(num_classes=21):
    return deeplabv3_resnet101(num_classes=num_classes, aux_loss=True)


# Classes of one name in several modules of torchvision: MODULE_CLASS.
mnasnet__InvertedResidual = MnasBlock
mobilenetv3_InvertedResidual = MobileBlockV3
shufflenetv2_InvertedResidual = ShuffleBlock
regnet_ResBottleneckBlock = RegBlock
regnet_BottleneckTransform = nn.Sequential
regnet_AnyStage = nn.Sequential
regnet_SimpleStemIN = ConvNormActivation
inception_InceptionAux = InceptionV3Aux

class IntermediateLayerGetter(nn.ModuleDict):
    """The children of a model up to the last that is wanted; their results by new names."""

    def __init__(self, model, return_layers):
        super().__init__()
        self.wanted = {str(k): str(v) for k, v in return_layers.items()}
        left = list(self.wanted.keys())
        for name, m in model.named_children():
            if left:
                setattr(self, name, m)
                left = [n for n in left if n != name]

    def forward(self, x):
        out = {}
        for name, m in self.named_children():
            x = m(x)
            if name in self.wanted:
                out[self.wanted[name]] = x
        return out


class Addresses:
    """model_urls: where weights would be loaded from, which nobody does."""

    def __getitem__(self, name):
        return ''

    def __setitem__(self, name, value):
        pass


model_urls = Addresses()


# Which keys an architecture has, and the functions that may have made it.
KNOWN = [
    (['layer4.0.conv3.weight', 'conv1.weight', 'fc.weight'],
     ['resnet50', 'resnet101', 'resnet152', 'resnext50_32x4d', 'resnext101_32x8d', 'resnext101_64x4d',
      'wide_resnet50_2', 'wide_resnet101_2']),
    (['layer4.0.conv2.weight', 'conv1.weight', 'fc.weight'], ['resnet18', 'resnet34']),
    (['backbone.layer4.0.conv3.weight', 'aux_classifier.4.weight', 'classifier.0.convs.0.0.weight'],
     ['deeplabv3_resnet50_aux', 'deeplabv3_resnet101_aux']),
    (['backbone.layer4.0.conv3.weight', 'classifier.0.convs.0.0.weight'],
     ['deeplabv3_resnet50', 'deeplabv3_resnet101']),
    (['backbone.layer4.0.conv3.weight', 'aux_classifier.4.weight', 'classifier.4.weight'],
     ['fcn_resnet50_aux', 'fcn_resnet101_aux']),
    (['backbone.layer4.0.conv3.weight', 'classifier.4.weight'], ['fcn_resnet50', 'fcn_resnet101']),
    (['backbone.1.block.0.0.weight', 'classifier.cbr.0.weight'], ['lraspp_mobilenet_v3_large']),
    (['backbone.1.block.0.0.weight', 'classifier.0.convs.0.0.weight', 'aux_classifier.4.weight'],
     ['deeplabv3_mobilenet_v3_large_aux']),
    (['backbone.1.block.0.0.weight', 'classifier.0.convs.0.0.weight'], ['deeplabv3_mobilenet_v3_large']),
    (['features.10.weight', 'classifier.1.weight', 'classifier.4.weight', 'classifier.6.weight'], ['alexnet']),
    (['features.1.running_mean', 'classifier.0.weight', 'classifier.6.weight'],
     ['vgg11_bn', 'vgg13_bn', 'vgg16_bn', 'vgg19_bn']),
    (['features.0.weight', 'classifier.0.weight', 'classifier.6.weight'], ['vgg11', 'vgg13', 'vgg16', 'vgg19']),
    (['features.3.squeeze.weight', 'classifier.1.weight'], ['squeezenet1_0', 'squeezenet1_1']),
    (['features.denseblock1.denselayer1.norm1.weight', 'classifier.weight'],
     ['densenet121', 'densenet161', 'densenet169', 'densenet201']),
    (['inception3a.branch1.conv.weight', 'aux1.fc1.weight'], ['googlenet']),
    (['inception3a.branch1.conv.weight'], ['googlenet_plain']),
    (['Mixed_7c.branch1x1.conv.weight', 'AuxLogits.fc.weight'], ['inception_v3']),
    (['Mixed_7c.branch1x1.conv.weight'], ['inception_v3_plain']),
    (['features.18.0.weight', 'features.1.conv.0.0.weight'], ['mobilenet_v2']),
    (['features.1.block.0.0.weight', 'classifier.3.weight'], ['mobilenet_v3_large', 'mobilenet_v3_small']),
    (['layers.8.0.layers.0.weight'], ['mnasnet0_5', 'mnasnet0_75', 'mnasnet1_0', 'mnasnet1_3']),
    (['stage2.0.branch1.0.weight', 'conv5.0.weight'],
     ['shufflenet_v2_x0_5', 'shufflenet_v2_x1_0', 'shufflenet_v2_x1_5', 'shufflenet_v2_x2_0']),
    (['features.1.0.block.0.0.weight', 'classifier.1.weight', 'features.1.0.block.1.fc1.weight'],
     ['efficientnet_b0', 'efficientnet_b1', 'efficientnet_b2', 'efficientnet_b3', 'efficientnet_b4',
      'efficientnet_b5', 'efficientnet_b6', 'efficientnet_b7']),
    (['features.1.0.block.0.0.weight', 'classifier.1.weight'], ['efficientnet_v2_s', 'efficientnet_v2_m']),
    (['trunk_output.block1.block1-0.f.se.fc1.weight'],
     ['regnet_y_400mf', 'regnet_y_800mf', 'regnet_y_1_6gf', 'regnet_y_3_2gf', 'regnet_y_8gf']),
    (['trunk_output.block1.block1-0.f.a.0.weight'],
     ['regnet_x_400mf', 'regnet_x_800mf', 'regnet_x_1_6gf', 'regnet_x_3_2gf', 'regnet_x_8gf']),
    (['features.1.0.layer_scale'], ['convnext_tiny', 'convnext_small', 'convnext_base', 'convnext_large']),
    (['encoder.pos_embedding', 'conv_proj.weight', 'heads.head.weight'],
     ['vit_b_16', 'vit_b_32', 'vit_l_16', 'vit_l_32']),
    (['features.1.0.attn.relative_position_bias_table', 'features.2.reduction.weight', 'features.1.0.norm1.weight'],
     ['swin_t', 'swin_s', 'swin_b']),
]
