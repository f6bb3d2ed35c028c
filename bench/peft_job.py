"""A whole adaptation and evaluation in Hugging Face PEFT on PyTorch, as its usual user writes it.

The counterpart of `mpt bench job`: the same rows in the same numbers of steps, batches and validations, read from the
file that `mpt bench job --export-rows` wrote. PEFT 0.21 needs transformers < 5.18.

    mpt bench job --model-config bench/configs/t5-small.json --shape boolq --export-rows rows.json
    python bench/peft_job.py --model-config bench/configs/t5-small.json --rows rows.json --threads 2

What is usual: a DataLoader that shuffles, DataCollatorForSeq2Seq (each batch padded to its longest row), AdamW with a
linear schedule and gradient clipping, `model.generate` over validation and test rows in their own order. What differs
from a script with Seq2SeqTrainer: no logging, no checkpoints, no metrics are computed (mpt bench job does all three).
"""

import argparse
import json
import resource
import time

parser = argparse.ArgumentParser()
parser.add_argument("--model-config", required=True)
parser.add_argument("--rows", required=True)
parser.add_argument("--threads", type=int, default=2)
args = parser.parse_args()

import torch  # noqa: E402
from peft import MultitaskPromptTuningConfig, PromptTuningConfig, TaskType, get_peft_model  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402
from transformers import (  # noqa: E402
    BatchEncoding,
    DataCollatorForSeq2Seq,
    T5Config,
    T5ForConditionalGeneration,
    get_linear_schedule_with_warmup,
)

with open(args.rows) as file:
    job = json.load(file)
settings = job["settings"]
torch.set_num_threads(args.threads)
torch.manual_seed(settings["seed"])


class IdTokenizer:
    """What the collator needs of a tokenizer, for rows that are tokens already: T5's padding."""

    padding_side = "right"

    def pad(self, features, padding=True, max_length=None, pad_to_multiple_of=None, return_tensors=None):
        longest = max(len(feature["input_ids"]) for feature in features)
        padded = {
            "input_ids": [f["input_ids"] + [0] * (longest - len(f["input_ids"])) for f in features],
            "attention_mask": [
                f["attention_mask"] + [0] * (longest - len(f["attention_mask"])) for f in features
            ],
        }
        if "labels" in features[0]:
            padded["labels"] = [f["labels"] for f in features]
        return BatchEncoding(padded, tensor_type=return_tensors)


def answer_with_labels(model):
    """As src/bench/job-model.ts: a dimension for each token of an answer, which the next one carries a multiple of."""
    start, width = model.config.decoder_start_token_id, model.config.d_model
    for name, parameter in model.named_parameters():
        if name.startswith("decoder.") and name.endswith((".o.weight", ".wo.weight")):
            parameter.data *= 0.02
    tokens = list(dict.fromkeys([start, *(token for answer in job["answers"] for token in answer)]))
    for table in {id(weight): weight.data for weight in (model.shared.weight, model.lm_head.weight)}.values():
        for dimension, token in enumerate(tokens):
            table[token] = 0
            table[token, dimension] = width**0.5
        for answer in job["answers"]:
            for place, (before, token) in enumerate(zip([start, *answer], answer)):
                table[token, tokens.index(before)] = (2, 6, 60)[place] * width**0.5


def dataset(split):
    return [
        {"input_ids": source, "attention_mask": [1] * len(source), "labels": target} for source, target in job[split]
    ]


with open(args.model_config) as file:
    config = T5Config(**json.load(file))
if not settings["dropout"]:
    config.dropout_rate = 0.0
base = T5ForConditionalGeneration(config)
answer_with_labels(base)
shared = dict(
    task_type=TaskType.SEQ_2_SEQ_LM,
    num_virtual_tokens=settings["prompt_length"],
    num_transformer_submodules=1,
)
if settings["method"] == "pt":
    model = get_peft_model(base, PromptTuningConfig(**shared))
else:
    model = get_peft_model(base, MultitaskPromptTuningConfig(num_tasks=1, num_ranks=1, **shared))
collator = DataCollatorForSeq2Seq(IdTokenizer(), padding=True)
training = DataLoader(dataset("train"), batch_size=settings["batch"], shuffle=True, collate_fn=collator)
held_out = {
    split: DataLoader(dataset(split), batch_size=settings["eval_batch"], collate_fn=collator)
    for split in ("validation", "test")
}
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=1e-5)
schedule = get_linear_schedule_with_warmup(optimizer, 0, settings["steps"])
counts = {"rows": 0, "tokens": 0, "positions": 0}


def task_of(batch):
    if settings["method"] == "mpt":
        batch["task_ids"] = torch.zeros(len(batch["input_ids"]), dtype=torch.long)
    return batch


def predict(split):
    model.eval()
    answers = []
    tokens = positions = 0
    with torch.no_grad():
        for batch in held_out[split]:
            tokens += int(batch["attention_mask"].sum())
            positions += batch["attention_mask"].numel()
            batch = task_of({key: value for key, value in batch.items() if key in ("input_ids", "attention_mask")})
            output = model.generate(**batch, max_new_tokens=settings["max_new_tokens"])
            answers.extend([id for id in row if id > 1] for row in output.tolist())
    model.train()
    return answers, 1 - tokens / positions


def batches():
    while True:
        yield from training


model.train()
began = time.perf_counter()
cpu_began = time.process_time()
validation = 0.0
validations = 0
for step, batch in enumerate(batches(), start=1):
    counts["rows"] += len(batch["input_ids"])
    counts["tokens"] += int(batch["attention_mask"].sum())
    counts["positions"] += batch["attention_mask"].numel()
    loss = model(**task_of({key: batch[key] for key in ("input_ids", "attention_mask", "labels")})).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    schedule.step()
    optimizer.zero_grad()
    last = step == settings["steps"]
    if step % settings["eval_every"] == 0 or last:
        start = time.perf_counter()
        predict("validation")
        validation += time.perf_counter() - start
        validations += 1
    if last:
        break
trained_at = time.perf_counter()
answers, testing_padding = predict("test")
ended = time.perf_counter()
cpu_s = time.process_time() - cpu_began

training_s = trained_at - began - validation
predicted = validations * len(job["validation"]) + len(job["test"])
labels = [answer[:-1] for answer in job["answers"]]
print(
    json.dumps(
        {
            "tokenising_s": None,
            "training_s": round(training_s, 2),
            "validation_s": round(validation, 2),
            "testing_s": round(ended - trained_at, 2),
            "total_s": round(ended - began, 2),
            "cpu_s": round(cpu_s, 2),
            "training_rows_per_s": round(counts["rows"] / training_s, 1),
            "predicted_rows_per_s": round(predicted / (validation + ended - trained_at), 1),
            "training_padding": round(1 - counts["tokens"] / counts["positions"], 3),
            "testing_padding": round(testing_padding, 3),
            "labels_share": round(sum(answer in labels for answer in answers) / len(answers), 3),
            "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        }
    )
)
