"""One training step of prompt tuning in Hugging Face PEFT on PyTorch, on random weights of any T5 config.

The counterpart of `mpt bench step`: the same shapes, the same work (forward, loss over the target tokens, gradient of
the prompt, AdamW update), the same JSON keys. PEFT 0.21 needs transformers < 5.18.

    python bench/peft_step.py --model-config bench/configs/t5-small.json --batch 8 --source-length 128 \
        --target-length 8 --prompt-length 100 --method mpt|pt|distill --repeat 7 --threads 2 [--dropout]

`distill` has no PEFT counterpart: it is the paper's losses (cross-entropy, KL over the vocabulary, mean squared error of
the last hidden states) written in plain PyTorch around the same transformers model.
"""

import argparse
import gc
import json
import resource
import statistics
import time

parser = argparse.ArgumentParser()
parser.add_argument("--model-config", required=True)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--source-length", type=int, default=128)
parser.add_argument("--target-length", type=int, default=8)
parser.add_argument("--prompt-length", type=int, default=100)
parser.add_argument("--method", choices=["pt", "mpt", "distill"], default="pt")
parser.add_argument("--repeat", type=int, default=7)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--tasks", type=int, default=1, help="prompts in the batch (distill: 6 by default)")
parser.add_argument("--dropout", action="store_true", help="with the config's dropout (default: none)")
args = parser.parse_args()

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from transformers import T5Config, T5ForConditionalGeneration  # noqa: E402

torch.set_num_threads(args.threads)
torch.manual_seed(0)
with open(args.model_config) as file:
    config = T5Config(**json.load(file))
config.use_cache = False
if not args.dropout:
    config.dropout_rate = 0.0
base = T5ForConditionalGeneration(config)
B, S, T, P, D = args.batch, args.source_length, args.target_length, args.prompt_length, config.d_model

batch = {
    "input_ids": torch.randint(2, config.vocab_size, (B, S)),
    "attention_mask": torch.ones(B, S, dtype=torch.long),
    "labels": torch.randint(2, config.vocab_size, (B, T)),
}


def build():
    if args.method == "distill":
        return Distillation(base, tasks=max(args.tasks, 6))
    from peft import MultitaskPromptTuningConfig, PromptTuningConfig, TaskType, get_peft_model

    shared = dict(task_type=TaskType.SEQ_2_SEQ_LM, num_virtual_tokens=P, num_transformer_submodules=1)
    if args.method == "pt":
        return get_peft_model(base, PromptTuningConfig(**shared))
    tuned = get_peft_model(base, MultitaskPromptTuningConfig(num_tasks=args.tasks, num_ranks=1, **shared))
    batch["task_ids"] = torch.zeros(B, dtype=torch.long)
    return tuned


class Distillation(torch.nn.Module):
    """Teacher and student prompts in front of one frozen model, with the three losses of the paper (Eqs 1, 3, 4)."""

    def __init__(self, model, tasks):
        super().__init__()
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        self.model = model
        self.teachers = torch.randn(tasks, P, D)
        self.shared = torch.nn.Parameter(torch.randn(P, D))
        self.u = torch.nn.Parameter(torch.ones(tasks, P))
        self.v = torch.nn.Parameter(torch.ones(tasks, D))
        self.task = torch.arange(B) % tasks

    def run(self, prompts, input_ids, attention_mask, labels):
        embedded = torch.cat([prompts, self.model.shared(input_ids)], 1)
        mask = torch.cat([torch.ones(B, P, dtype=attention_mask.dtype), attention_mask], 1)
        output = self.model(
            inputs_embeds=embedded, attention_mask=mask, labels=labels, output_hidden_states=True
        )
        return output

    def forward(self, **inputs):
        prompts = self.shared * (self.u[:, :, None] * self.v[:, None, :])
        student = self.run(prompts[self.task], **inputs)
        with torch.no_grad():
            teacher = self.run(self.teachers[self.task], **inputs)
        kl = F.kl_div(
            student.logits.log_softmax(-1), teacher.logits.log_softmax(-1), log_target=True, reduction="none"
        ).sum(-1).mean()
        hidden = F.mse_loss(student.encoder_hidden_states[-1], teacher.encoder_hidden_states[-1])
        hidden = hidden + F.mse_loss(student.decoder_hidden_states[-1], teacher.decoder_hidden_states[-1])
        student.loss = student.loss + 0.9 * (kl + hidden)
        return student


model = build()
model.train()
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-3)


def step():
    optimizer.zero_grad(set_to_none=True)
    loss = model(**batch).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    return loss.item()


def forward():
    with torch.no_grad():
        return model(**batch).loss.item()


def median(action, repeat):
    action()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


gc.collect()
step_ms = median(step, args.repeat)
forward_ms = median(forward, max(3, args.repeat // 2))
a, b = torch.rand(1824, 512), torch.rand(512, 2048)
matmul_ms = median(lambda: a @ b, 15)
print(
    json.dumps(
        {
            "step_ms": round(step_ms, 1),
            "forward_ms": round(forward_ms, 1),
            "tokens_per_s": round(B * (S + T) / step_ms * 1000),
            "matmul_gflops": round(2 * 1824 * 512 * 2048 / matmul_ms / 1e6, 1),
            "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        }
    )
)
