/* Every class of layer this importer knows. Weights: see keras_internal.h. */
#include "import/keras/keras_internal.h"

/* clang-format off */
static const struct kclass classes[] = {
    {"InputLayer",             k_identity,         ""},

    {"Dense",                  k_dense,            "kb"},
    {"EinsumDense",            k_einsum_dense,     "kB"},
    {"Embedding",              k_embedding,        "k"},
    {"Flatten",                k_flatten,          ""},
    {"Reshape",                k_reshape,          ""},
    {"Permute",                k_permute,          ""},
    {"RepeatVector",           k_repeat_vector,    ""},
    {"Masking",                k_masking,          ""},
    {"Rescaling",              k_rescaling,        ""},
    {"Normalization",          k_normalization,    "|NNN"},

    /* Do nothing when a model is used. */
    {"Dropout",                k_identity,         ""},
    {"SpatialDropout1D",       k_identity,         ""},
    {"SpatialDropout2D",       k_identity,         ""},
    {"SpatialDropout3D",       k_identity,         ""},
    {"GaussianDropout",        k_identity,         ""},
    {"GaussianNoise",          k_identity,         ""},
    {"AlphaDropout",           k_identity,         ""},
    {"ActivityRegularization", k_identity,         ""},
    {"Identity",               k_identity,         ""},
    {"RandomFlip",             k_identity,         ""},
    {"RandomRotation",         k_identity,         ""},
    {"RandomZoom",             k_identity,         ""},
    {"RandomTranslation",      k_identity,         ""},
    {"RandomContrast",         k_identity,         ""},
    {"RandomBrightness",       k_identity,         ""},
    {"RandomHeight",           k_identity,         ""},
    {"RandomWidth",            k_identity,         ""},
    {"RandomCrop",             k_center_crop,      ""},
    {"CenterCrop",             k_center_crop,      ""},
    {"Resizing",               k_resizing,         ""},

    {"Activation",             k_activation_layer, ""},
    {"ReLU",                   k_relu,             ""},
    {"LeakyReLU",              k_leaky_relu,       ""},
    {"ELU",                    k_elu,              ""},
    {"PReLU",                  k_prelu,            "k"},
    {"Softmax",                k_softmax,          ""},
    {"ThresholdedReLU",        k_thresholded_relu, ""},

    {"Conv1D",                 k_conv,             "kb"},
    {"Conv2D",                 k_conv,             "kb"},
    {"Conv3D",                 k_conv,             "kb"},
    {"Convolution1D",          k_conv,             "kb"},
    {"Convolution2D",          k_conv,             "kb"},
    {"Convolution3D",          k_conv,             "kb"},
    {"AtrousConvolution2D",    k_conv,             "kb"},
    {"DepthwiseConv1D",        k_depthwise,        "kb"},
    {"DepthwiseConv2D",        k_depthwise,        "kb"},
    {"SeparableConv1D",        k_separable,        "kkb"},
    {"SeparableConv2D",        k_separable,        "kkb"},
    {"SeparableConvolution2D", k_separable,        "kkb"},
    {"Conv1DTranspose",        k_conv_transpose,   "kb"},
    {"Conv2DTranspose",        k_conv_transpose,   "kb"},
    {"Conv3DTranspose",        k_conv_transpose,   "kb"},
    {"Deconvolution2D",        k_conv_transpose,   "kb"},

    {"MaxPooling1D",           k_pool,             ""},
    {"MaxPooling2D",           k_pool,             ""},
    {"MaxPooling3D",           k_pool,             ""},
    {"AveragePooling1D",       k_pool,             ""},
    {"AveragePooling2D",       k_pool,             ""},
    {"AveragePooling3D",       k_pool,             ""},
    {"GlobalMaxPooling1D",     k_global_pool,      ""},
    {"GlobalMaxPooling2D",     k_global_pool,      ""},
    {"GlobalMaxPooling3D",     k_global_pool,      ""},
    {"GlobalAveragePooling1D", k_global_pool,      ""},
    {"GlobalAveragePooling2D", k_global_pool,      ""},
    {"GlobalAveragePooling3D", k_global_pool,      ""},
    {"UpSampling1D",           k_upsampling,       ""},
    {"UpSampling2D",           k_upsampling,       ""},
    {"UpSampling3D",           k_upsampling,       ""},
    {"ZeroPadding1D",          k_zero_padding,     ""},
    {"ZeroPadding2D",          k_zero_padding,     ""},
    {"ZeroPadding3D",          k_zero_padding,     ""},
    {"Cropping1D",             k_cropping,         ""},
    {"Cropping2D",             k_cropping,         ""},
    {"Cropping3D",             k_cropping,         ""},

    {"BatchNormalization",     k_batch_norm,       "sc|NN"},
    {"LayerNormalization",     k_layer_norm,       "sc"},
    {"GroupNormalization",     k_group_norm,       "sc"},
    {"UnitNormalization",      k_unit_norm,        ""},

    {"Add",                    k_merge,            ""},
    {"Subtract",               k_merge,            ""},
    {"Multiply",               k_merge,            ""},
    {"Average",                k_merge,            ""},
    {"Maximum",                k_merge,            ""},
    {"Minimum",                k_merge,            ""},
    {"Concatenate",            k_concatenate,      ""},
    {"Dot",                    k_dot,              ""},

    {"SimpleRNN",              k_rnn,              "kkb"},
    {"LSTM",                   k_rnn,              "kkb"},
    {"GRU",                    k_rnn,              "kkb"},
    {"CuDNNLSTM",              k_rnn,              "kkk"},
    {"CuDNNGRU",               k_rnn,              "kkk"},
    {"Bidirectional",          k_bidirectional,    ""},
    {"TimeDistributed",        k_time_distributed, ""},

    {"Attention",              k_attention,        "S"},
    {"AdditiveAttention",      k_attention,        "A"},
    {"MultiHeadAttention",     k_multi_head,       "kbkbkbkb"},
};
/* clang-format on */

const struct kclass *keras_class(struct str name)
{
    for (size_t i = 0; i < COUNT(classes); i++)
        if (str_eq(name, str_from_cstr(classes[i].name)))
            return &classes[i];
    return NULL;
}
