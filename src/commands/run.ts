import { Command, Option } from '@commander-js/extra-typings';
import { ENGINE_NAMES } from '../engines/choose.js';
import { allowCpuOption } from '../engines/options.js';
import { findEngines } from '../engines/layout.js';
import { listGpus } from '../engines/gpu.js';
import { defaultThreads } from '../engines/threads.js';
import { log, print, printJson } from '../logging/console.js';
import { summarize } from '../recipes/summarize.js';
import { cellsOfRun } from '../reports/collect-progress.js';
import { reportText, stdoutOptions } from '../reports/formats/terminal.js';
import { plainGrid } from '../reports/grid.js';
import { shellLine } from '../runner/command-line.js';
import { failureKeeper } from '../runner/failures.js';
import { executeGraph, type ExecutionResult } from '../runner/execute.js';
import { expectedRuns } from '../runner/expected-runs.js';
import { argumentsOf, buildGraph } from '../runner/graph.js';
import { launchNode } from '../runner/launch.js';
import { showLive } from '../runner/live.js';
import type { RunNode } from '../runner/node.js';
import { outcomeText } from '../runner/outcome.js';
import { lastLines, logFile, startMpt } from '../runner/processes.js';
import { readRunFile, type RunFile } from '../runner/run-file.js';
import { planGrid, planNotes, planSummary } from '../runner/show.js';
import { emptyRows } from '../runner/report-rows.js';
import { divide, type Slots } from '../runner/slots.js';
import { refuseChanged } from '../runner/refusal.js';
import { isDone, onDisk, stateOf, type NodeState } from '../runner/state.js';
import { plural } from '../util/format.js';
import { RunError } from '../util/errors.js';
import { onStop, StoppedError, watchSignals } from '../util/signals.js';
import { fromOne, progressOption, repeatable } from './stage-options.js';

const EXAMPLES = `
The file names grids of steps: tasks × methods × seeds × variants of settings. What is finished is not run again; stop it
(Ctrl-C saves) and call it again at any time. Exit codes: 0 all done, 1 something failed, 2 something is wrong with the file.

Examples:
  $ mpt run configs/demo/table1.yaml --dry-run            what would run, what is there, how many steps
  $ mpt run configs/demo/table1.yaml --jobs 2
  $ mpt run configs/paper/table1.yaml --data-dir ./data --model ./t5-base
  $ mpt run configs/paper/table1.yaml --commands          the missing commands, to run by hand or on a cluster`;

/** What `mpt run` was asked for, besides the file. */
interface RunOptions {
  jobs?: number | undefined;
  set?: string[] | undefined;
  model?: string | undefined;
  dataDir?: string | undefined;
  tasksDir?: string | undefined;
  out?: string | undefined;
  experiment?: string | undefined;
  engine?: string | undefined;
  allowCpu?: true | undefined;
  threads?: number | undefined;
}

/** `mpt run`: a graph of steps, only what is missing, so many at a time. */
export function runCommand() {
  return new Command('run')
    .description('run an experiment: a file of steps, only what is missing')
    .argument('<file>', 'YAML with the steps, e.g. configs/paper/table1.yaml')
    .option('-j, --jobs <n>', 'commands at a time (default: one for each GPU, or one)', fromOne)
    .option('--dry-run', 'show what would run, what exists already and how many steps that is')
    .addOption(
      new Option('--commands', 'print the commands that are missing, in order; run nothing').conflicts('dryRun'),
    )
    .option('--redo-changed', 'start runs over that were begun with another config, or are damaged')
    .option('--no-report', 'leave out the tables and report.html at the end')
    .option('--set <key=value>', 'override one key in every step that has it (repeatable)', repeatable)
    .option('-m, --model <model>', "in place of the file's model; variants with their own model keep it")
    .option('--data-dir <dir>', 'folder with <task>/<split>.jsonl or .parquet (default: the Hugging Face hub)')
    .option('--tasks-dir <dir>', 'folder of YAML files that define tasks of your own')
    .option('-o, --out <dir>', "folder of all results (default: the file's, or runs)")
    .option('--experiment <name>', "name of the folder within (default: the file's)")
    .addOption(new Option('--engine <name>', 'what computes, in every step').choices(ENGINE_NAMES))
    .addOption(allowCpuOption())
    .option('--threads <n>', 'CPU threads of each command (default: all, shared out among the jobs)', fromOne)
    .option('--json', 'print plan or results as JSON on stdout')
    .addOption(progressOption())
    .addHelpText('after', EXAMPLES)
    .action(async (path, options) => {
      const file = readFile(path, options);
      const nodes = buildGraph(file, onDisk);
      const states = nodes.map(stateOf);
      const slots = slotsFor(nodes, options.jobs ?? null);
      const notes = options.report ? emptyRows(file, nodes, onDisk.exists) : [];
      const more = (node: RunNode): string[] => threadOptions(node, slots);
      if (options.commands === true) return printCommands(states, more);
      if (options.dryRun === true) {
        if (options.json === true) return printJson(planJson(file, states, more));
        return print(planText(states, slots, notes));
      }
      const result = await runAll(file, states, slots, {
        ...options,
        notes,
        redoChanged: options.redoChanged === true,
        more,
      });
      if (result.signal !== null) throw new StoppedError(result.signal, null);
      if (options.report) report(file, nodes, options.json === true);
      conclude(result, file);
    });
}

function readFile(path: string, options: RunOptions): RunFile {
  const { set = [], model, out, experiment, dataDir, tasksDir, engine, allowCpu, threads } = options;
  const flags = { data_dir: dataDir, tasks_dir: tasksDir, engine, allow_cpu: allowCpu, threads };
  return readRunFile(path, { set, model, out, experiment, flags });
}

function slotsFor(nodes: readonly RunNode[], jobs: number | null): Slots {
  const engine = nodes[0]?.resolved.engine.name ?? 'auto';
  const gpuEngine = findEngines().engines.some(({ manifest }) => manifest.variant === 'gpu');
  const asked = gpuEngine && (engine === 'auto' || engine === 'node-gpu');
  return divide(jobs, engine, {
    visibleDevices: process.env['CUDA_VISIBLE_DEVICES'],
    gpus: asked ? listGpus().length : 0,
    gpuEngine,
    threads: defaultThreads(),
  });
}

/** A job's share of the threads, where its config does not say how many it takes. */
function threadOptions({ resolved }: RunNode, { threads }: Slots): string[] {
  return threads === null || resolved.engine.threads !== null ? [] : ['--threads', String(threads)];
}

function planText(states: readonly NodeState[], slots: Slots, more: readonly string[]): string {
  const notes = [...planNotes(states), ...more];
  const parts = [plainGrid(planGrid(states)), [planSummary(states), `Runs ${slots.description}.`].join(' ')];
  return [...parts, ...(notes.length === 0 ? [] : [notes.join('\n')])].join('\n\n');
}

function printCommands(states: readonly NodeState[], more: (node: RunNode) => string[]): void {
  const open = states.filter((state) => !isDone(state));
  if (open.length > 0) print(open.map(({ node }) => shellLine(['mpt', ...argumentsOf(node, more(node))])).join('\n'));
}

function planJson(
  { experiment, out }: RunFile,
  states: readonly NodeState[],
  more: (node: RunNode) => string[],
): unknown {
  const nodes = states.map(({ node, runs }) => ({
    id: node.id,
    stage: node.stage,
    method: node.method,
    variant: node.variant,
    multi_task: node.multi_task,
    tasks: node.tasks,
    seeds: node.seeds,
    few_shot: node.few_shot,
    needs: node.needs,
    command: ['mpt', ...argumentsOf(node, more(node))],
    runs: runs.map(({ folder, seed, kind, step, steps, reason }) => ({
      folder,
      seed,
      state: kind,
      step,
      total_steps: steps?.total ?? null,
      exact: steps?.exact ?? null,
      reason,
    })),
  }));
  return { experiment, out, nodes };
}

interface RunAllOptions {
  /** About the report, said with the plan. */
  notes: readonly string[];
  redoChanged: boolean;
  progress: Parameters<typeof showLive>[0]['progress'];
  more: (node: RunNode) => string[];
}

async function runAll(
  file: RunFile,
  states: readonly NodeState[],
  slots: Slots,
  { redoChanged, progress, more, notes }: RunAllOptions,
): Promise<ExecutionResult> {
  if (!redoChanged) refuseChanged(states.flatMap(({ runs }) => runs));
  log(planText(states, slots, notes));
  log();
  watchSignals();
  const logOf = (node: RunNode): string => logFile(file.out, file.experiment, node.id);
  const environment = (slot: number): Record<string, string> => slots.environments[slot]!;
  const live = showLive({
    open: states.filter((state) => !isDone(state)).map(({ node }) => node.id),
    progress,
    commandOf: (node, slot) => {
      const variables = Object.entries(environment(slot)).map(([name, value]) => `${name}=${value}`);
      return shellLine([...variables, 'mpt', ...argumentsOf(node, more(node))]);
    },
    outcomeOf: (node) => outcomeText(stateOf(node)),
    logOf,
    lastLines,
  });
  const keepFailures = failureKeeper(logOf, lastLines);
  try {
    return await executeGraph(
      states.map(({ node }) => node),
      {
        jobs: slots.environments.length,
        state: stateOf,
        onEvent: (event) => {
          keepFailures(event);
          live.onEvent(event);
        },
        onStop,
        launch: (node, slot) =>
          launchNode(node, {
            start: (args) => startMpt(args, environment(slot), logOf(node)),
            state: stateOf,
            onWait: (waiting) => live.onEvent({ kind: 'waiting', node: waiting }),
            redoChanged,
            more: more(node),
          }),
      },
    );
  } finally {
    live.stop();
  }
}

function report({ out, experiment, report: spec }: RunFile, nodes: readonly RunNode[], json: boolean): void {
  const cells = nodes.flatMap((node) => expectedRuns(node).flatMap(({ id }) => cellsOfRun(id)));
  const planned = [...new Map(cells.map((cell) => [JSON.stringify(cell), cell])).values()];
  const { results, report: found, files } = summarize(out, experiment, { spec, planned });
  if (json) printJson({ results, report: found, files });
  else print(reportText(found, stdoutOptions()));
  log(`\nresults: ${files.summary}\nreport:  ${files.report}  (open it in a browser)`);
}

function conclude({ failed, blocked }: ExecutionResult, file: RunFile): void {
  if (failed.length === 0) return;
  const lines = [...failed.map((id) => `  failed: ${id}`), ...blocked.map((id) => `  blocked: ${id}`)];
  throw new RunError(
    `${plural(failed.length, 'command')} failed, ${blocked.length} could not run:\n${lines.join('\n')}`,
    {
      hint: `Their logs: ${logFile(file.out, file.experiment, '*')}. The same command goes on with what is missing.`,
    },
  );
}
