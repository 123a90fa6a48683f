# Of the transformers package: BERT, RoBERTa and DistilBERT, as classes of other
# people hold them (self.bert = BertModel.from_pretrained(...)). Names and sizes
# are those of the published models; where only a path is given, the weights say
# the sizes, and a head has 64 features, as in every published one.
import math
import torch
import torch.nn as nn

transformers_KNOWN = {
    'bert-base': dict(hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072),
    'bert-large': dict(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096),
    'bert-wwm': dict(hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072),
    'bert-tiny': dict(hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=512),
    'bert-mini': dict(hidden_size=256, num_hidden_layers=4, num_attention_heads=4, intermediate_size=1024),
    'bert-small': dict(hidden_size=512, num_hidden_layers=4, num_attention_heads=8, intermediate_size=2048),
    'roberta-base': dict(hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072),
    'roberta-large': dict(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096),
}


class transformers_PretrainedConfig:
    def keep(self, others):
        for k, v in others.items():
            setattr(self, k, v)

    @classmethod
    def from_pretrained(cls, name, **kwargs):
        return cls(**transformers_sizes(cls, name, kwargs))


class transformers_BertConfig(transformers_PretrainedConfig):
    model_type = 'bert'

    def __init__(self, vocab_size=30522, hidden_size=768, num_hidden_layers=12, num_attention_heads=12,
                 intermediate_size=3072, hidden_act='gelu', hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1,
                 max_position_embeddings=512, type_vocab_size=2, layer_norm_eps=1e-12, pad_token_id=0, num_labels=2,
                 **kwargs):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.hidden_act = hidden_act
        self.hidden_dropout_prob = hidden_dropout_prob
        self.attention_probs_dropout_prob = attention_probs_dropout_prob
        self.max_position_embeddings = max_position_embeddings
        self.type_vocab_size = type_vocab_size
        self.layer_norm_eps = layer_norm_eps
        self.pad_token_id = pad_token_id
        self.num_labels = num_labels
        self.output_hidden_states = False
        self.keep(kwargs)


class transformers_RobertaConfig(transformers_BertConfig):
    model_type = 'roberta'

    def __init__(self, vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5,
                 pad_token_id=1, **kwargs):
        super().__init__(vocab_size=vocab_size, max_position_embeddings=max_position_embeddings,
                         type_vocab_size=type_vocab_size, layer_norm_eps=layer_norm_eps, pad_token_id=pad_token_id, **kwargs)


class transformers_DistilBertConfig(transformers_PretrainedConfig):
    model_type = 'distilbert'

    def __init__(self, vocab_size=30522, max_position_embeddings=512, n_layers=6, n_heads=12, dim=768, hidden_dim=3072,
                 activation='gelu', pad_token_id=0, num_labels=2, dropout=0.1, seq_classif_dropout=0.2, **kwargs):
        self.vocab_size = vocab_size
        self.max_position_embeddings = max_position_embeddings
        self.n_layers = n_layers
        self.num_hidden_layers = n_layers
        self.n_heads = n_heads
        self.dim = dim
        self.hidden_size = dim
        self.hidden_dim = hidden_dim
        self.activation = activation
        self.pad_token_id = pad_token_id
        self.num_labels = num_labels
        self.dropout = dropout
        self.seq_classif_dropout = seq_classif_dropout
        self.keep(kwargs)


def transformers_sizes(cls, name, given):
    """What is published under that name; the rest is left open for the weights."""
    distil = cls.model_type == 'distilbert'
    usual = cls()
    sizes = dict(vocab_size=torch._stoker.open('vocab_size', usual.vocab_size),
                 max_position_embeddings=torch._stoker.open('max_position_embeddings', usual.max_position_embeddings))
    if not distil:
        sizes.update(type_vocab_size=torch._stoker.open('type_vocab_size', usual.type_vocab_size))
    known = None
    if not torch._stoker.is_unknown(name):
        for key, value in transformers_KNOWN.items():
            if key in name and not distil:
                known = value
    if distil:
        width = torch._stoker.open('dim', 768)
        sizes.update(dim=width, n_layers=torch._stoker.open('n_layers', 6), hidden_dim=torch._stoker.open('hidden_dim', 3072),
                     n_heads=width // 64)
    elif known is not None:
        sizes.update(known)
    else:
        width = torch._stoker.open('hidden_size', 768)
        sizes.update(hidden_size=width, num_hidden_layers=torch._stoker.open('num_hidden_layers', 12),
                     intermediate_size=torch._stoker.open('intermediate_size', 3072), num_attention_heads=width // 64)
    for key in ('num_labels', 'vocab_size', 'hidden_dropout_prob', 'output_hidden_states'):
        if key in given:
            sizes[key] = given[key]
    return sizes


class transformers_Output:
    """What the models give back: by name, by place, and as a tuple of what is there."""

    def __init__(self, **fields):
        self.fields = {k: v for k, v in fields.items() if v is not None}
        for k, v in fields.items():
            setattr(self, k, v)

    def to_tuple(self):
        return tuple(self.fields.values())

    def __getitem__(self, at):
        return self.fields[at] if isinstance(at, str) else self.to_tuple()[at]

    def __iter__(self):
        return list(self.fields.values())

    def __len__(self):
        return len(self.fields)


def transformers_activation(name):
    return {'gelu': torch.nn.functional.gelu, 'relu': torch.relu, 'silu': torch.nn.functional.silu, 'tanh': torch.tanh,
            'gelu_new': lambda x: torch.nn.functional.gelu(x, approximate='tanh')}[name]


def transformers_mask(mask, like):
    """Added to the scores: nothing where the mask is 1, a very small number where it is 0."""
    if mask is None:
        return None
    mask = mask[:, None, None, :] if mask.dim() == 2 else mask[:, None, :, :] if mask.dim() == 3 else mask
    return (1.0 - mask.to(like.dtype)) * -10000.0


def transformers_attend(q, k, v, heads, mask):
    b, n, width = q.shape

    def split(x):
        return x.view(b, -1, heads, width // heads).transpose(1, 2)

    scores = torch.matmul(split(q), split(k).transpose(-1, -2)) / math.sqrt(width // heads)
    if mask is not None:
        scores = scores + mask
    return torch.matmul(scores.softmax(-1), split(v)).transpose(1, 2).reshape(b, n, width)


class transformers_PreTrainedModel(nn.Module):
    config_class = transformers_BertConfig
    base_model_prefix = ''

    def __init__(self, config=None, *args, **kwargs):
        super().__init__()
        self.config = config

    def init_weights(self):
        pass

    def post_init(self):
        pass

    def gradient_checkpointing_enable(self, *args, **kwargs):
        pass

    def resize_token_embeddings(self, n):
        pass

    def get_input_embeddings(self):
        return self.embeddings.word_embeddings

    @classmethod
    def from_pretrained(cls, name, *args, config=None, **kwargs):
        if config is None:
            config = cls.config_class.from_pretrained(name, **kwargs)
        own = {k: v for k, v in kwargs.items() if k == 'add_pooling_layer'}
        return cls(config, **own)

    @classmethod
    def from_config(cls, config):
        return cls(config)


transformers_BertPreTrainedModel = transformers_PreTrainedModel


class transformers_RobertaPreTrainedModel(transformers_PreTrainedModel):
    config_class = transformers_RobertaConfig


class transformers_DistilBertPreTrainedModel(transformers_PreTrainedModel):
    config_class = transformers_DistilBertConfig


class transformers_BertEmbeddings(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.padding = config.pad_token_id

    def forward(self, ids, types, positions, embedded):
        x = self.word_embeddings(ids) if embedded is None else embedded
        b, n = x.shape[0], x.shape[1]
        types = torch.zeros(b, n, dtype=torch.long) if types is None else types
        positions = self.positions(ids, n) if positions is None else positions
        return self.LayerNorm(x + self.token_type_embeddings(types) + self.position_embeddings(positions))

    def positions(self, ids, n):
        return torch.arange(n).unsqueeze(0)


class transformers_RobertaEmbeddings(transformers_BertEmbeddings):
    def positions(self, ids, n):
        """They are counted from behind the padding index, and padding keeps it."""
        if ids is None:
            return torch.arange(self.padding + 1, n + self.padding + 1).unsqueeze(0)
        real = (ids != self.padding).long()
        return real.cumsum(1) * real + self.padding


class transformers_BertSelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads = config.num_attention_heads
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, x, mask):
        return transformers_attend(self.query(x), self.key(x), self.value(x), self.heads, mask)


class transformers_BertOutput(nn.Module):
    def __init__(self, config, width):
        super().__init__()
        self.dense = nn.Linear(width, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, x, before):
        return self.LayerNorm(self.dense(x) + before)


class transformers_BertAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        setattr(self, 'self', transformers_BertSelfAttention(config))
        self.output = transformers_BertOutput(config, config.hidden_size)

    def forward(self, x, mask):
        return self.output(getattr(self, 'self')(x, mask), x)


class transformers_BertIntermediate(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = transformers_activation(config.hidden_act)

    def forward(self, x):
        return self.activation(self.dense(x))


class transformers_BertLayer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attention = transformers_BertAttention(config)
        self.intermediate = transformers_BertIntermediate(config)
        self.output = transformers_BertOutput(config, config.intermediate_size)

    def forward(self, x, mask):
        x = self.attention(x, mask)
        return self.output(self.intermediate(x), x)


class transformers_BertEncoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.layer = nn.ModuleList([transformers_BertLayer(config) for _ in range(config.num_hidden_layers)])


class transformers_BertPooler(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, x):
        return torch.tanh(self.dense(x[:, 0]))


class transformers_BertModel(transformers_PreTrainedModel):
    embeddings_class = transformers_BertEmbeddings

    def __init__(self, config, add_pooling_layer=True):
        super().__init__(config)
        self.embeddings = self.embeddings_class(config)
        self.encoder = transformers_BertEncoder(config)
        self.pooler = transformers_BertPooler(config) if add_pooling_layer else None

    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, position_ids=None, head_mask=None,
                inputs_embeds=None, output_attentions=None, output_hidden_states=None, return_dict=None, **kwargs):
        x = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds)
        mask = transformers_mask(attention_mask, x)
        states = [x]
        for layer in self.encoder.layer:
            x = layer(x, mask)
            states.append(x)
        wanted = output_hidden_states or (output_hidden_states is None and self.config.output_hidden_states is True)
        pooled = None if self.pooler is None else self.pooler(x)
        return transformers_Output(last_hidden_state=x, pooler_output=pooled, hidden_states=tuple(states) if wanted else None)


class transformers_RobertaModel(transformers_BertModel):
    config_class = transformers_RobertaConfig
    embeddings_class = transformers_RobertaEmbeddings


transformers_XLMRobertaModel = transformers_RobertaModel
transformers_XLMRobertaConfig = transformers_RobertaConfig


class transformers_DistilBertEmbeddings(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.dim)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.dim)
        self.LayerNorm = nn.LayerNorm(config.dim, eps=1e-12)

    def forward(self, ids):
        return self.LayerNorm(self.word_embeddings(ids) + self.position_embeddings(torch.arange(ids.shape[1]).unsqueeze(0)))


class transformers_DistilAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads = config.n_heads
        self.q_lin = nn.Linear(config.dim, config.dim)
        self.k_lin = nn.Linear(config.dim, config.dim)
        self.v_lin = nn.Linear(config.dim, config.dim)
        self.out_lin = nn.Linear(config.dim, config.dim)

    def forward(self, x, mask):
        return self.out_lin(transformers_attend(self.q_lin(x), self.k_lin(x), self.v_lin(x), self.heads, mask))


class transformers_DistilFeedForward(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.lin1 = nn.Linear(config.dim, config.hidden_dim)
        self.lin2 = nn.Linear(config.hidden_dim, config.dim)
        self.activation = transformers_activation(config.activation)

    def forward(self, x):
        return self.lin2(self.activation(self.lin1(x)))


class transformers_DistilBlock(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attention = transformers_DistilAttention(config)
        self.sa_layer_norm = nn.LayerNorm(config.dim, eps=1e-12)
        self.ffn = transformers_DistilFeedForward(config)
        self.output_layer_norm = nn.LayerNorm(config.dim, eps=1e-12)

    def forward(self, x, mask):
        x = self.sa_layer_norm(self.attention(x, mask) + x)
        return self.output_layer_norm(self.ffn(x) + x)


class transformers_DistilTransformer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.layer = nn.ModuleList([transformers_DistilBlock(config) for _ in range(config.n_layers)])


class transformers_DistilBertModel(transformers_DistilBertPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.embeddings = transformers_DistilBertEmbeddings(config)
        self.transformer = transformers_DistilTransformer(config)

    def forward(self, input_ids=None, attention_mask=None, head_mask=None, output_hidden_states=None, **kwargs):
        x = self.embeddings(input_ids)
        mask = transformers_mask(attention_mask, x)
        states = [x]
        for layer in self.transformer.layer:
            x = layer(x, mask)
            states.append(x)
        return transformers_Output(last_hidden_state=x, hidden_states=tuple(states) if output_hidden_states else None)


# ---- with a head ----------------------------------------------------------------

class transformers_BertForSequenceClassification(transformers_PreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.bert = transformers_BertModel(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, labels=None, **kwargs):
        return transformers_Output(logits=self.classifier(self.bert(input_ids, attention_mask, token_type_ids)[1]))


class transformers_BertForTokenClassification(transformers_PreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.bert = transformers_BertModel(config, add_pooling_layer=False)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, labels=None, **kwargs):
        return transformers_Output(logits=self.classifier(self.bert(input_ids, attention_mask, token_type_ids)[0]))


class transformers_RobertaHead(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.out_proj = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, x):
        return self.out_proj(torch.tanh(self.dense(x[:, 0])))


class transformers_RobertaForSequenceClassification(transformers_RobertaPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.roberta = transformers_RobertaModel(config, add_pooling_layer=False)
        self.classifier = transformers_RobertaHead(config)

    def forward(self, input_ids=None, attention_mask=None, labels=None, **kwargs):
        return transformers_Output(logits=self.classifier(self.roberta(input_ids, attention_mask)[0]))


class transformers_DistilBertForSequenceClassification(transformers_DistilBertPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.distilbert = transformers_DistilBertModel(config)
        self.pre_classifier = nn.Linear(config.dim, config.dim)
        self.classifier = nn.Linear(config.dim, config.num_labels)

    def forward(self, input_ids=None, attention_mask=None, labels=None, **kwargs):
        x = self.distilbert(input_ids, attention_mask)[0][:, 0]
        return transformers_Output(logits=self.classifier(torch.relu(self.pre_classifier(x))))


def transformers_family(name, classes):
    """Of an Auto class: what the name says, else BERT."""
    if not torch._stoker.is_unknown(name):
        for key in ('distilbert', 'roberta'):
            if key in name:
                return classes[key]
    return classes['bert']


class transformers_AutoModel:
    classes = dict(bert=transformers_BertModel, roberta=transformers_RobertaModel, distilbert=transformers_DistilBertModel)

    @classmethod
    def from_pretrained(cls, name, *args, config=None, **kwargs):
        return transformers_family(name, cls.classes).from_pretrained(name, config=config, **kwargs)

    @classmethod
    def from_config(cls, config, **kwargs):
        return cls.classes[config.model_type](config)


class transformers_AutoModelForSequenceClassification(transformers_AutoModel):
    classes = dict(bert=transformers_BertForSequenceClassification, roberta=transformers_RobertaForSequenceClassification,
                   distilbert=transformers_DistilBertForSequenceClassification)


class transformers_AutoConfig:
    classes = dict(bert=transformers_BertConfig, roberta=transformers_RobertaConfig, distilbert=transformers_DistilBertConfig)

    @classmethod
    def from_pretrained(cls, name, **kwargs):
        return transformers_family(name, cls.classes).from_pretrained(name, **kwargs)
