import { Command } from '@commander-js/extra-typings';
import { pull, type Pulled } from '../hub/pull.js';
import { hubSettings } from '../hub/settings.js';
import { log, paint, print, printJson } from '../logging/console.js';
import { knownTaskNames } from '../tasks/known-tasks.js';
import { UserError } from '../util/errors.js';
import { formatBytes, plural } from '../util/format.js';
import { watchSignals } from '../util/signals.js';

const EXAMPLES = `
Names are tasks, groups of tasks ("mpt ls tasks" lists both), and models as owner/name or owner/name@revision.
What is fetched lies in the cache of the Hugging Face libraries (HF_HOME), verified by hash, and is shared with them.
A branch stays at the commit that it was first found at, so that results do not change; --refresh asks again.

Examples:
  $ mpt pull google-t5/t5-base paper           the model and all data sets of the paper
  $ mpt pull mnli --refresh                    what the data set's main branch is now
  $ HF_TOKEN=hf_… mpt pull some/gated-model    with a token, which goes to the hub alone

Stopped by Ctrl-C, the same command goes on where it was. On a machine without a network: copy the cache there, and set
HF_HUB_OFFLINE=1.`;

/** `mpt pull`: fetches models and data sets ahead of time. */
export function pullCommand() {
  return new Command('pull')
    .description('fetch models and data sets from the Hugging Face hub ahead of time')
    .argument('[names...]', 'tasks, groups of tasks, models (owner/name)')
    .option('--revision <revision>', 'branch, tag or commit, where all names are of one repository')
    .option('--refresh', 'ask the hub what branches and tags stand for now')
    .option('--tasks-dir <dir>', 'folder of YAML files that define tasks of your own')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (names, options) => {
      knownTaskNames(options.tasksDir ?? null);
      watchSignals();
      const settings = hubSettings(process.env, { refresh: options.refresh === true });
      const all = await pull(names, {
        revision: options.revision,
        settings,
        onDone: (pulled, number, total) => log(lineOf(pulled, number, total)),
      });
      if (options.json === true) printJson({ cache: settings.cache, pulled: all });
      else print(summary(all, settings.cache));
      const failed = all.filter(({ error }) => error !== undefined);
      if (failed.length > 0) {
        throw new UserError(
          `${failed.length} of ${all.length} could not be fetched: ${failed.map(({ name }) => name).join(', ')}`,
          {
            hint: 'The reasons are above; the same command fetches what is missing.',
            exitCode: Math.max(...failed.map(({ error }) => error!.exit_code)),
          },
        );
      }
    });
}

function lineOf({ name, from, files, bytes, received, note, error }: Pulled, number: number, total: number): string {
  const place = total === 1 ? '' : `${String(number).padStart(String(total).length)}/${total} `;
  if (error !== undefined) {
    const hint = error.hint === undefined ? '' : `\n${error.hint}`;
    return `${place}${paint.red('✗')} ${`${error.message}${hint}`.replaceAll('\n', '\n    ')}`;
  }
  if (note !== undefined) return `${place}${paint.green('✓')} ${name} ${note}`;
  const came = received === 0 ? 'all there already' : `${formatBytes(received)} of it downloaded`;
  const where = from === name ? '' : ` from ${from}`;
  return `${place}${paint.green('✓')} ${name}${where}: ${plural(files, 'file')}, ${formatBytes(bytes)}, ${came}`;
}

/** Files that several tasks share count for each of them. */
export function summary(all: readonly Pulled[], cache: string): string {
  const sum = (of: (pulled: Pulled) => number): number => all.reduce((total, pulled) => total + of(pulled), 0);
  const [files, bytes, received] = [sum((one) => one.files), sum((one) => one.bytes), sum((one) => one.received)];
  return (
    `${plural(files, 'file')}, ${formatBytes(bytes)} in ${cache}: ${formatBytes(received)} downloaded, ` +
    `${formatBytes(Math.max(0, bytes - received))} there already`
  );
}
