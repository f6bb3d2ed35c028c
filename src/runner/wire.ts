// What every node builds on: teachers before distillation before adaptation before evaluation.
import { join } from 'node:path';
import type { Fault } from '../config/errors.js';
import { methodLabel } from '../methods/names.js';
import { DISTILL_TASK, fewShotStage, methodFolder } from '../runs/paths.js';
import { expandTasks } from '../tasks/groups.js';
import { nodeId, taskName, type NodeDraft } from './node.js';
import type { RunFile } from './run-file.js';
import { settingOf } from './settings.js';

/** What is there already, where no step makes it. */
export interface Existing {
  /** Whether a finished run lies in this task's folder: of this seed, where one is named. */
  finishedIn: (taskFolder: string, seed?: number) => boolean;
  /** Whether there is anything at this path. */
  exists: (path: string) => boolean;
}

/** A draft that knows what it needs. */
export interface WiredDraft extends NodeDraft {
  id: string;
  needs: string[];
  /** The source tasks that spot and attempt choose among; null where that is no question. */
  source_tasks: readonly string[] | null;
}

/**
 * Wires drafts into a graph, by the rules by which the commands themselves look for what they build on: what has the
 * same variant, else what has none. So their configs name no folders, and runs stay what they are when `out` moves.
 * Everything that neither a step makes nor the disk has is a fault.
 */
export function wire(
  file: Pick<RunFile, 'out' | 'experiment'>,
  drafts: readonly NodeDraft[],
  existing: Existing,
  faults: Fault[],
): WiredDraft[] {
  // A few-shot node makes a stage of its own for each number of shots.
  const made = new Map(
    drafts.flatMap((draft) =>
      stagesOf(draft).map((stage): [string, string] => [
        [stage, methodLabel(draft), taskName(draft)].join('/'),
        nodeId(draft),
      ]),
    ),
  );
  return drafts.map((draft) => new Wiring(file, draft, made, drafts, existing, faults).wire());
}

/** The stage folders that a node's runs lie in. */
function stagesOf({ stage, few_shot }: NodeDraft): string[] {
  return few_shot === null ? [stage] : few_shot.shots.map(fewShotStage);
}

class Wiring {
  private readonly needs = new Set<string>();
  private sources: readonly string[] | null = null;

  constructor(
    private readonly file: Pick<RunFile, 'out' | 'experiment'>,
    private readonly draft: NodeDraft,
    /** What the steps make (stage/label/task), and the node that makes it. */
    private readonly made: ReadonlyMap<string, string>,
    private readonly drafts: readonly NodeDraft[],
    private readonly existing: Existing,
    private readonly faults: Fault[],
  ) {}

  wire(): WiredDraft {
    const { stage, method, few_shot } = this.draft;
    if (this.draft.taught) this.needTeachers(this.draft.tasks);
    if (stage === 'eval' && few_shot === null) this.needAdapted();
    else if (stage === 'adapt' || stage === 'eval') {
      if (method === 'mpt') this.needDistilled();
      if (method === 'attempt') this.needTeachers(this.sourceTasks());
      if (method === 'spot') this.needSimilar();
    }
    return { ...this.draft, id: nodeId(this.draft), needs: [...this.needs], source_tasks: this.sources };
  }

  private missing(what: string, instead: string): void {
    const id = nodeId(this.draft);
    const message = `${id} needs ${what}: no step makes that, and it is not there. ${instead}`;
    this.faults.push({ origin: this.draft.origin, path: '', message });
  }

  private folder(stage: string, method: string): string {
    return methodFolder(this.file.out, { experiment: this.file.experiment, stage, method });
  }

  /** The labels to look under: of the same variant, else the plain one. */
  private labels(method: 'pt' | 'mpt'): string[] {
    const label = (variant: string | null): string => methodLabel({ method, multi_task: false, variant });
    return [...new Set([label(this.draft.variant), label(null)])];
  }

  private isMade(stage: string, label: string, task: string): boolean {
    return this.made.has([stage, label, task].join('/'));
  }

  /** The label that the command will look under: the first that a step makes or that is there; else the plain one. */
  private labelOf(stage: string, method: 'pt' | 'mpt', tasks: readonly string[]): string {
    const [own, plain] = this.labels(method);
    if (plain === undefined) return own!;
    const isThere =
      tasks.some((task) => this.isMade(stage, own!, task)) || this.existing.exists(this.folder(stage, own!));
    return isThere ? own! : plain;
  }

  /** Needs the node that makes it, or the finished run. @returns whether there is either */
  private need(stage: string, label: string, task: string): boolean {
    const node = this.made.get([stage, label, task].join('/'));
    if (node === undefined) return this.existing.finishedIn(join(this.folder(stage, label), task));
    this.needs.add(node);
    return true;
  }

  /** spot and attempt choose among the step's source tasks, else among those that the file's teachers have. */
  private sourceTasks(): readonly string[] {
    const { settings, source_tasks, variant } = this.draft;
    const set = settingOf(settings, 'source_tasks');
    if (Array.isArray(set)) return expandTasks(set as string[]);
    const teachers = this.drafts.filter(({ stage }) => stage === 'teach');
    const own = teachers.filter((teacher) => teacher.variant === variant);
    const taught = (own.length > 0 ? own : teachers).flatMap(({ tasks }) => tasks);
    const sources = source_tasks ?? [...new Set(taught)];
    if (sources.length === 0) this.missing('source prompts', 'Name source_tasks in the step, or add a teach step');
    else this.sources = sources;
    return sources;
  }

  private needTeachers(tasks: readonly string[]): void {
    const given = settingOf(this.draft.settings, 'teachers');
    const label = this.labelOf('teach', 'pt', tasks);
    const folder = typeof given === 'string' ? given : this.folder('teach', label);
    const lacking = tasks.filter((task) =>
      typeof given === 'string' ? !this.existing.finishedIn(join(given, task)) : !this.need('teach', label, task),
    );
    if (lacking.length > 0) this.missing(`teachers of ${lacking.join(', ')} in ${folder}`, 'Add them to a teach step');
  }

  private needDistilled(): void {
    const given = settingOf(this.draft.settings, 'source');
    if (typeof given === 'string') {
      if (!this.existing.exists(given)) this.missing(`the distilled run ${given}`, 'Is the path right?');
      return;
    }
    const label = this.labelOf('distill', 'mpt', [DISTILL_TASK]);
    if (this.need('distill', label, DISTILL_TASK)) return;
    this.missing(`a distilled run in ${join(this.folder('distill', label), DISTILL_TASK)}`, 'Add a distill step');
  }

  /** A named source prompt; or the one most like the prompt that `pt` tuned on the same task, from as many examples. */
  private needSimilar(): void {
    const { settings, few_shot, tasks } = this.draft;
    const named = settingOf(settings, 'spot.source_task');
    if (typeof named === 'string') return this.needTeachers([named]);
    this.needTeachers(this.sourceTasks());
    const task = tasks[0]!;
    if (few_shot === null) this.needTuned('adapt', task, null);
    else for (const shots of few_shot.shots) this.needTuned(fewShotStage(shots), task, this.draft.seeds);
  }

  /** @param seeds that must be there, as another seed tunes on other draws; null where any will do */
  private needTuned(stage: string, task: string, seeds: readonly number[] | null): void {
    const given = settingOf(this.draft.settings, 'spot.target_prompts');
    const label = this.labelOf(stage, 'pt', [task]);
    const folder = typeof given === 'string' ? given : this.folder(stage, label);
    const node = typeof given === 'string' ? undefined : this.made.get([stage, label, task].join('/'));
    if (node !== undefined) this.needs.add(node);
    const made = this.drafts.find((draft) => nodeId(draft) === node)?.seeds ?? [];
    const finishedIn = (seed?: number): boolean => this.existing.finishedIn(join(folder, task), seed);
    const lacking = (seeds ?? []).filter((seed) => !made.includes(seed) && !finishedIn(seed));
    const isThere = seeds === null ? node !== undefined || finishedIn() : lacking.length === 0;
    if (isThere) return;
    const ofSeeds = seeds === null ? '' : `, seed ${lacking.join(', ')},`;
    const step = seeds === null ? 'an adapt step' : 'a few-shot step of the same shots and seeds';
    this.missing(
      `the prompt that pt tuned on ${task}${ofSeeds} in ${folder}`,
      `Add pt to ${step} on ${task}, or name the source task with the setting spot.source_task`,
    );
  }

  private needAdapted(): void {
    const label = methodLabel(this.draft);
    const task = taskName(this.draft);
    if (this.need('adapt', label, task)) return;
    this.missing(`adapted runs in ${join(this.folder('adapt', label), task)}`, 'Add an adapt step');
  }
}
