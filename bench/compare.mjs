// Alternates `mpt bench step` and bench/peft_step.py at the same shapes and prints ratios (ours / theirs, below 1 is
// faster). Alternating, because a shared machine's speed drifts: only neighbouring runs compare.
//
//   node bench/compare.mjs --model-config bench/configs/t5-small.json --method pt [--rounds 5] [--python python3]
//
// Everything else is passed to both sides: --batch --source-length --target-length --prompt-length --repeat --threads.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const args = process.argv.slice(2);

/** Takes `--name value` out of the arguments. */
function take(name, fallback) {
  const at = args.indexOf(`--${name}`);
  return at < 0 ? fallback : args.splice(at, 2)[1];
}

const rounds = Number(take('rounds', 5));
const python = take('python', 'python3');
const mpt = take('mpt', join(here, '..', 'bin', 'mpt.js'));
if (!args.includes('--threads')) args.push('--threads', '2');
if (!args.includes('--repeat')) args.push('--repeat', '3');

function run(command, commandArgs) {
  const { status, stdout, stderr, error } = spawnSync(command, commandArgs, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (error || status !== 0) {
    console.error(`${command} ${commandArgs.join(' ')} failed (${error?.message ?? status})\n${stderr ?? ''}`);
    process.exit(1);
  }
  return JSON.parse(stdout.slice(stdout.indexOf('{')));
}

const ours = [];
const theirs = [];
for (let round = 0; round < rounds; round++) {
  ours.push(run(process.execPath, [mpt, 'bench', 'step', ...args, '--json']));
  theirs.push(run(python, [join(here, 'peft_step.py'), ...args]));
  const [a, b] = [ours.at(-1), theirs.at(-1)];
  console.error(`round ${round + 1}: mpt ${a.step_ms} ms, PyTorch ${b.step_ms} ms, ratio ${(a.step_ms / b.step_ms).toFixed(2)}`);
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const table = {};
for (const key of ['step_ms', 'forward_ms', 'tokens_per_s', 'matmul_gflops', 'peak_rss_mb']) {
  const [a, b] = [ours, theirs].map((runs) => runs.map((report) => report[key]));
  table[key] = {
    mpt: median(a),
    PyTorch: median(b),
    ratio: Number((median(a) / median(b)).toFixed(3)),
    'ratio per round': a.map((value, i) => (value / b[i]).toFixed(2)).join(' '),
  };
}
console.table(table);
