// Where the length tables of `mpt bench job` (src/bench/job-lengths.ts) come from: quantiles of the token lengths of a
// task's training rows, as the default config renders them, and how often each target occurs. Only numbers leave the
// data; the texts do not.
//
//   node bench/lengths.mjs --data-dir DIR --tokenizer DIR [--tasks boolq,sst2] [--dist dist]
//
// DIR of the tokenizer holds T5's spiece.model or tokenizer.json.
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string' },
    tokenizer: { type: 'string' },
    tasks: { type: 'string', default: 'boolq,sst2' },
    dist: { type: 'string', default: join(dirname(fileURLToPath(import.meta.url)), '..', 'dist') },
  },
});
const load = (file) => import(pathToFileURL(resolve(values.dist, 'src', file)).href);
const { openTask } = await load('data/dataset.js');
const { findTask } = await load('tasks/registry.js');
const { loadTokenizer } = await load('tokenizer/tokenizer.js');

const tokenizer = loadTokenizer(values.tokenizer);
for (const name of values.tasks.split(',')) {
  const open = await openTask(findTask(name), { data_dir: values['data-dir'], template: 'attempt', task_prefix: true });
  const lengths = [];
  const targets = new Map();
  for await (const { example } of open.splits.train.examples()) {
    lengths.push(tokenizer.encode(example.input).length + 1); // with EOS
    targets.set(example.target, (targets.get(example.target) ?? 0) + 1);
  }
  lengths.sort((a, b) => a - b);
  const quantiles = Array.from({ length: 101 }, (_, i) => lengths[Math.round((i / 100) * (lengths.length - 1))]);
  const answers = [...targets].sort().map(([target, count]) => ({
    tokens: [...tokenizer.encode(target), tokenizer.eos_id],
    share: Number((count / lengths.length).toFixed(4)),
  }));
  const mean = Number((lengths.reduce((sum, length) => sum + length, 0) / lengths.length).toFixed(1));
  console.log(JSON.stringify({ name, rows: lengths.length, mean, answers, quantiles }));
}
