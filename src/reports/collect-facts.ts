import type { RunListing } from '../runs/status.js';
import { formatCount, plural } from '../util/format.js';

/** How runs came about, as far as their records say: engine, versions, machine, model, dates. */
export function collectFacts(runs: readonly RunListing[]): [string, string][] {
  const records = runs.flatMap(({ record }) => record ?? []);
  const last = records.at(-1);
  if (last === undefined) return [];
  const engines = new Set(
    records.flatMap(({ engine }) =>
      engine === null ? [] : `${engine.name} on ${engine.device}, ${plural(engine.threads, 'thread')}`,
    ),
  );
  const { mpt, node, tfjs } = last.versions;
  const libtensorflow = last.engine?.libtensorflow;
  const totals = [...new Set(records.flatMap(({ parameters }) => parameters?.total ?? []))].sort((a, b) => a - b);
  const dates = records.map(({ timings }) => timings.updated.slice(0, 10)).sort();
  const [first, until] = [dates[0]!, dates.at(-1)!];
  return [
    ['engine', engines.size === 0 ? 'unknown' : [...engines].join('; ')],
    [
      'versions',
      `mpt ${mpt}, Node ${node}, TensorFlow.js ${tfjs}${libtensorflow ? `, libtensorflow ${libtensorflow}` : ''}`,
    ],
    ['machine', `${last.host.cpus}, ${last.host.memory_gib} GiB, ${last.host.platform}`],
    ['parameters of the model', totals.length === 0 ? 'unknown' : totals.map(formatCount).join('; ')],
    ['date', first === until ? until : `${first} to ${until}`],
  ];
}

const STATES = ['finished', 'running', 'stopped', 'killed', 'failed', 'damaged'];

/** "12 runs", or how many there are of each state where not all are finished. */
export function countRuns(runs: readonly RunListing[]): string {
  const counts = STATES.map((state) => [state, runs.filter(({ status }) => status === state).length] as const);
  const some = counts.filter(([, count]) => count > 0);
  const states = some.map(([state, count]) => `${formatCount(count)} ${state}`).join(', ');
  return some.length === 1 && some[0]![0] === 'finished'
    ? plural(runs.length, 'run')
    : `${plural(runs.length, 'run')}${states === '' ? '' : `: ${states}`}`;
}
