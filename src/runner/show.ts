// A plan for people: a line for each method of each stage, then what stands in the way.
import { formatCount, plural } from '../util/format.js';
import type { Grid } from '../reports/grid.js';
import { methodLabel } from '../methods/names.js';
import { stepsLeft, type NodeState, type RunStateKind } from './state.js';

const STATES: Readonly<Record<RunStateKind, string>> = {
  finished: 'finished',
  begun: 'begun',
  failed: 'failed',
  'in use': 'in use',
  changed: 'of another config',
  damaged: 'damaged',
  missing: 'to do',
};

function countOf(states: readonly NodeState[], kind: RunStateKind): number {
  return states.flatMap(({ runs }) => runs).filter((run) => run.kind === kind).length;
}

/** "12 finished, 1 begun, 26 to do" */
export function statesText(states: readonly NodeState[]): string {
  return (Object.keys(STATES) as RunStateKind[])
    .map((kind) => [countOf(states, kind), STATES[kind]] as const)
    .filter(([count]) => count > 0)
    .map(([count, text]) => `${formatCount(count)} ${text}`)
    .join(', ');
}

/** "1,200", "≈ 312,000", "≈ 312,000 + ?" */
export function stepsText(states: readonly NodeState[]): string {
  const { steps, exact, unknown } = stepsLeft(states);
  const known = `${exact ? '' : '≈ '}${formatCount(steps)}`;
  if (unknown === 0) return known;
  return steps === 0 ? '?' : `${known} + ?`;
}

/** Names that fit into so many characters, and how many more there are. */
function namesText(names: readonly string[], width: number): string {
  const all = names.join(', ');
  if (all.length <= width) return all;
  let shown = 0;
  let text = '';
  for (; shown < names.length; shown++) {
    const longer = text === '' ? names[shown]! : `${text}, ${names[shown]!}`;
    if (longer.length + 8 > width && shown > 0) break;
    text = longer;
  }
  return shown === names.length ? text : `${text} +${names.length - shown}`;
}

function stageOf({ node }: NodeState): string {
  return node.few_shot === null ? node.stage : `few-shot ${node.few_shot.shots.join(', ')}`;
}

/** A line for each method of each stage. @param width characters that the names of tasks may take */
export function planGrid(states: readonly NodeState[], width = 44): Grid {
  const groups = new Map<string, NodeState[]>();
  for (const state of states) {
    const key = `${stageOf(state)} ${methodLabel(state.node)}`;
    groups.set(key, [...(groups.get(key) ?? []), state]);
  }
  const body = [...groups.values()].map((group) => {
    const { node } = group[0]!;
    const tasks = [...new Set(group.flatMap((state) => state.node.tasks))];
    const runs = group.reduce((sum, state) => sum + state.runs.length, 0);
    return [
      { text: stageOf(group[0]!) },
      { text: methodLabel(node) },
      { text: namesText(tasks, width) },
      { text: formatCount(runs) },
      { text: statesText(group) },
      { text: node.stage === 'eval' && node.few_shot === null ? '' : stepsText(group) },
    ];
  });
  return {
    head: ['step', 'method', 'tasks', 'runs', 'state', 'steps to go'],
    body: inStageOrder(body),
    foot: [],
    names: 3,
  };
}

const STAGES = ['teach', 'distill', 'adapt', 'eval'];

function inStageOrder<Row extends { text: string }[]>(rows: readonly Row[]): Row[] {
  const place = (row: Row): number => {
    const index = STAGES.indexOf(row[0]!.text);
    return index < 0 ? STAGES.length : index;
  };
  return [...rows].sort((a, b) => place(a) - place(b));
}

/** All of it in a sentence or two. */
export function planSummary(states: readonly NodeState[]): string {
  const open = states.filter(({ runs }) => runs.some(({ kind }) => kind !== 'finished'));
  const runs = states.flatMap((state) => state.runs);
  const { steps, unknown } = stepsLeft(states);
  if (open.length === 0) return `${plural(runs.length, 'run')}: all finished.`;
  const unsure = unknown === 0 ? '' : `, of ${plural(unknown, 'run')} not known before the data are read`;
  const toGo = steps === 0 && unknown === 0 ? '' : ` Optimiser steps to go: ${stepsText(states)}${unsure}.`;
  return `${plural(runs.length, 'run')}: ${statesText(states)}; ${plural(open.length, 'command')}.${toGo}`;
}

/** Runs of another config, and why runs failed the last time: a line each. */
export function planNotes(states: readonly NodeState[]): string[] {
  return states
    .flatMap(({ runs }) => runs)
    .flatMap(({ kind, folder, reason }) => {
      if (kind === 'changed') return [`of another config: ${folder}: ${reason}`];
      if (kind === 'damaged') return [reason];
      if (kind === 'failed') return [`failed the last time: ${folder}: ${reason.split('\n')[0]!}`];
      if (kind === 'in use') return [`in use by another process: ${folder}`];
      return [];
    });
}
