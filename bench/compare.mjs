// Alternates `mpt bench step` (or `job`) with its counterpart in PEFT at the same shapes and prints medians and ratios
// as a Markdown table. Alternating, because a shared machine's speed drifts: only neighbouring runs compare.
//
//   node bench/compare.mjs step --model-config bench/configs/t5-small.json --method pt [--rounds 5] [--python python3]
//   node bench/compare.mjs job --model-config bench/configs/t5-small.json --shape boolq [--rounds 3] [--python python3]
//
// Whatever else is given goes to `mpt bench` (see --help there), and from there to the other side. Options of mpt alone
// (--reference, --gradient-checkpointing, --length-window, --engine) do not change PEFT's work.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [kind, ...args] = process.argv.slice(2);

/** Takes `--name value` out of the arguments. */
function take(name, fallback) {
  const at = args.indexOf(`--${name}`);
  return at < 0 ? fallback : args.splice(at, 2)[1];
}

function valueOf(name, fallback) {
  const at = args.indexOf(`--${name}`);
  return at < 0 ? fallback : args[at + 1];
}

/** Arguments without the options of mpt alone. */
function shared() {
  const kept = [];
  for (let i = 0; i < args.length; i++) {
    if (['--reference', '--gradient-checkpointing'].includes(args[i])) continue;
    if (args[i] === '--engine') i++;
    else kept.push(args[i]);
  }
  return kept;
}

const KINDS = {
  step: {
    rounds: 5,
    keys: ['step_ms', 'forward_ms', 'tokens_per_s', 'matmul_gflops', 'peak_rss_mb'],
    shown: 'step_ms',
    prepare() {
      if (!args.includes('--repeat')) args.push('--repeat', '3');
      return shared();
    },
  },
  job: {
    rounds: 3,
    keys: [
      ...['training_s', 'validation_s', 'testing_s', 'total_s', 'cpu_s', 'training_rows_per_s', 'predicted_rows_per_s'],
      ...['training_padding', 'testing_padding', 'labels_share', 'peak_rss_mb'],
    ],
    shown: 'total_s',
    prepare(folder) {
      const rows = join(folder, 'rows.json');
      run(process.execPath, [mpt, 'bench', 'job', ...args, '--export-rows', rows]);
      return ['--model-config', valueOf('model-config'), '--rows', rows, '--threads', valueOf('threads')];
    },
  },
};

const chosen = KINDS[kind];
if (chosen === undefined) {
  console.error('usage: node bench/compare.mjs step|job --model-config FILE.json [--rounds N] [--python FILE] …');
  process.exit(2);
}
const rounds = Number(take('rounds', chosen.rounds));
const python = take('python', 'python3');
const mpt = take('mpt', join(here, '..', 'bin', 'mpt.js'));
if (!args.includes('--threads')) args.push('--threads', '2');

function run(command, commandArgs) {
  const { status, stdout, stderr, error } = spawnSync(command, commandArgs, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (error || status !== 0) {
    console.error(`${command} ${commandArgs.join(' ')} failed (${error?.message ?? status})\n${stderr ?? ''}`);
    process.exit(1);
  }
  return stdout;
}

const report = (text) => JSON.parse(text.slice(text.indexOf('{')));
const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const round = (value) => Number(value.toPrecision(4));
const ratio = (a, b) => (b === 0 ? '' : (a / b).toFixed(2));

const folder = mkdtempSync(join(tmpdir(), 'mpt-compare-'));
const ours = [];
const theirs = [];
try {
  const theirArgs = chosen.prepare(folder);
  for (let n = 1; n <= rounds; n++) {
    ours.push(report(run(process.execPath, [mpt, 'bench', kind, ...args, '--json'])));
    theirs.push(report(run(python, [join(here, `peft_${kind}.py`), ...theirArgs])));
    const [a, b] = [ours.at(-1)[chosen.shown], theirs.at(-1)[chosen.shown]];
    console.error(`round ${n}: ${chosen.shown} mpt ${a}, PEFT ${b}, ratio ${ratio(a, b)}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const lines = [
  `| ${kind}, median of ${rounds} | mpt | PEFT | mpt / PEFT | each round |`,
  '| --- | ---: | ---: | ---: | --- |',
  ...chosen.keys.map((key) => {
    const [a, b] = [ours, theirs].map((runs) => runs.map((one) => one[key]));
    const each = a.map((value, i) => ratio(value, b[i])).join(' ');
    return `| ${key} | ${round(median(a))} | ${round(median(b))} | ${ratio(median(a), median(b))} | ${each} |`;
  }),
];
console.log(lines.join('\n'));
