"""Writes logits.json: logits of tiny models by the originals' own code (torch and transformers).

    pip install torch transformers
    python make_logits.py > logits.json

Weights come from a formula over the tensor's name and flat index, so that the test builds the same ones without files.
"""

import json
import pathlib
import sys
import tempfile

import numpy
import torch
import transformers

VOCAB, TOKENS, MIDDLE = 48, 40, 19

SHAPE = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "tie_word_embeddings": False,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 2,
}


def llama(**more):
    return {**SHAPE, "architectures": ["LlamaForCausalLM"], "model_type": "llama", **more}


CASES = {
    "llama": llama(),
    "llama with biases and wide heads": llama(attention_bias=True, head_dim=16),
    "llama3 scaling": llama(
        rope_scaling={
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 16,
        }
    ),
    "linear scaling": llama(rope_scaling={"type": "linear", "factor": 4.0}),
    "dynamic scaling": llama(max_position_embeddings=16, rope_scaling={"type": "dynamic", "factor": 2.0}),
    "dynamic scaling within the trained length": llama(rope_scaling={"type": "dynamic", "factor": 2.0}),
    "yarn": llama(rope_scaling={"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}),
    "yarn with everything set": llama(
        rope_theta=500.0,
        rope_scaling={
            "rope_type": "yarn",
            "factor": 4.0,
            "original_max_position_embeddings": 32,
            "beta_fast": 8.0,
            "beta_slow": 2.0,
            "mscale": 1.5,
            "mscale_all_dim": 0.7,
            "truncate": False,
        },
    ),
    "mistral": {
        **SHAPE,
        "architectures": ["MistralForCausalLM"],
        "model_type": "mistral",
        "sliding_window": 8,
    },
    "qwen2": {
        **SHAPE,
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "num_hidden_layers": 4,
        "tie_word_embeddings": True,
        "use_sliding_window": True,
        "sliding_window": 8,
        "max_window_layers": 2,
    },
    "qwen3": {
        **SHAPE,
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "head_dim": 16,
        "attention_bias": False,
    },
    "qwen3 with biases": {
        **SHAPE,
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "head_dim": 16,
        "attention_bias": True,
    },
    "cohere2": {
        **{name: value for name, value in SHAPE.items() if name not in ("rms_norm_eps", "tie_word_embeddings")},
        "architectures": ["Cohere2ForCausalLM"],
        "model_type": "cohere2",
        "num_hidden_layers": 4,
        "layer_norm_eps": 1e-5,
        "sliding_window": 8,
        "sliding_window_pattern": 4,
        "logit_scale": 0.25,
    },
}

# As the library writes such a file today, all fields and nested rope parameters.
REWRITTEN = ["llama3 scaling", "qwen2", "cohere2"]


def weight(name, shape):
    """Between -1/2 and 1/2 by a hash of sines; gains lie around 1, the embedding is twice as wide."""
    phase = 0x811C9DC5
    for byte in name.encode():
        phase = ((phase ^ byte) * 0x01000193) & 0xFFFFFFFF
    index = numpy.arange(1, numpy.prod(shape) + 1, dtype=numpy.float64)
    wave = numpy.sin(index * 12.9898 + (phase % 9973) * 78.233) * 43758.5453
    values = wave - numpy.floor(wave) - 0.5
    if "norm" in name:
        values = 1 + values
    elif "embed_tokens" in name:
        values = 2 * values
    return torch.tensor(values.reshape(shape), dtype=torch.float32)


def row(name, text):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "config.json").write_text(text)
        config = transformers.AutoConfig.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval().float()
    tied = config.tie_word_embeddings
    state = {
        key: weight(key, tuple(value.shape))
        for key, value in model.state_dict().items()
        if not (tied and key == "lm_head.weight")
    }
    unknown = model.load_state_dict(state, strict=False).unexpected_keys
    assert not unknown, unknown
    model.tie_weights()
    ids = [(index * index * 7 + index * 3 + 5) % VOCAB for index in range(TOKENS)]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    numbers = lambda at: [round(float(value), 6) for value in logits[at]]
    print(name, "spread", float(logits[-1].std()), file=sys.stderr)
    return {
        "name": name,
        "config": json.loads(text),
        "tensors": len(state),
        "ids": ids,
        "middle": MIDDLE,
        "middle_logits": numbers(MIDDLE),
        "last_logits": numbers(-1),
    }


def rows():
    for name, config in CASES.items():
        yield row(name, json.dumps(config))
    for name in REWRITTEN:
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "config.json").write_text(json.dumps(CASES[name]))
            config = transformers.AutoConfig.from_pretrained(folder)
            config.architectures = CASES[name]["architectures"]
            config.save_pretrained(folder)
            text = (pathlib.Path(folder) / "config.json").read_text()
        yield row(f"{name}, file written anew", text)


versions = {"torch": torch.__version__, "transformers": transformers.__version__}
lines = ",\n".join(json.dumps(found, separators=(",", ":")) for found in rows())
print(f'{{"versions":{json.dumps(versions)},"rows":[\n{lines}\n]}}')
