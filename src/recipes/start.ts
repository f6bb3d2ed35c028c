import type { AdaptConfig, PromptSection } from '../config/schema.js';
import { initialAdapter } from '../methods/adapter.js';
import { initialAttempt } from '../methods/attempt.js';
import { initialBitfit } from '../methods/bitfit.js';
import { initialFinetune } from '../methods/finetune.js';
import type { Method } from '../methods/method.js';
import { methodOf } from '../methods/methods.js';
import type { MethodName } from '../methods/names.js';
import type { OpenModel } from '../model/open.js';
import type { Tensors } from '../optim/optimizer.js';
import { readPrompt, type StoredPrompt } from '../prompts/file.js';
import { promptInitFiles, startFrom, startFromSource, startVanilla } from '../prompts/start.js';
import { UserError } from '../util/errors.js';
import { Rng } from '../util/rng.js';
import { locateSource, locateSourcePrompts, locateTargetPrompt } from './locate.js';
import { checkProvenance, ifThere } from './provenance.js';
import { readTeachers, teacherBank } from './teachers.js';
import { mostSimilar, targetPrompts } from './transfer.js';

/** Where a run starts. */
export interface Start {
  /** How the model answers with what is trained. */
  method: Method;
  /** For people: a file, or how the parameters are made. */
  from: string;
  /** The files it reads; a run whose files have changed since is done again. */
  files: string[];
  /** Fresh parameters; the caller owns them. */
  initial: () => Tensors;
  /** Names of parameters that stay as they are. */
  frozen: string[];
  /** What the files of its checkpoints say of it, beside the method's name. */
  metadata: Record<string, string>;
}

/** The keys that say what adaptation starts from; few-shot evaluation has them too. */
export type Adaptation = Pick<
  AdaptConfig,
  | 'prompt'
  | 'source'
  | 'source_seed'
  | 'init'
  | 'task_vectors'
  | 'train_shared'
  | 'train_task_vectors'
  | 'teachers'
  | 'teacher_seed'
  | 'source_tasks'
  | 'spot'
  | 'attempt'
  | 'adapter'
  | 'data'
  | 'experiment'
  | 'variant'
  | 'out'
>;

/** The entries that a run trains. */
export interface Entries {
  /** One seed each. */
  seeds: readonly number[];
  /** Tasks that share what their method lets them share; otherwise independent runs, side by side. */
  tasks: boolean;
  /** The task they tune on, for similarity search, and the stage where its prompts are; see `locateTargetPrompt`. */
  target: { task: string; stage: string };
}

/** Seed of one entry's initial values (and data order, where it is a run by itself) among those of a run. */
export function entrySeed(seed: number, entry: number): number {
  return seed * 1000 + entry;
}

/** Prompts as the config's section makes them, one a seed: plain prompt tuning. */
export function startFromScratch(open: OpenModel, prompt: PromptSection, seeds: readonly number[]): Start {
  return {
    method: methodOf('pt', open.model, null),
    from: `scratch (${prompt.init.kind})`,
    files: promptInitFiles(prompt),
    initial: () => startVanilla(open, prompt, seeds),
    frozen: [],
    metadata: {},
  };
}

/** Soft prompts, whole or decomposed, that come from elsewhere. */
export function startFromPrompts(open: OpenModel, initial: () => Tensors, frozen: string[] = []): Start {
  return { method: methodOf('pt', open.model, null), from: 'given', files: [], initial, frozen, metadata: {} };
}

/**
 * Where a method starts on target tasks, and what of it stays frozen.
 *
 * @param runSeed chooses among the runs that it builds on
 * @throws UserError when what it builds on is not there, with the command that makes it
 */
export function adaptationStart(
  open: OpenModel,
  name: MethodName,
  config: Adaptation,
  entries: Entries,
  runSeed: number,
): Start {
  switch (name) {
    case 'pt':
      return startFromScratch(open, config.prompt, entries.seeds);
    case 'mpt':
      return fromDistilled(open, config, entries, runSeed);
    case 'spot':
      return fromSourcePrompt(open, config, entries, runSeed);
    case 'attempt':
      return mixture(open, config, entries, runSeed);
    case 'adapter':
    case 'bitfit':
    case 'finetune':
      return fromModel(open, name, config, entries, runSeed);
  }
}

function fromDistilled(open: OpenModel, config: Adaptation, { seeds, tasks }: Entries, runSeed: number): Start {
  const source = readPrompt(locateSource(config, runSeed), open.model.config.d_model);
  checkProvenance([source], open, config.data);
  if (source.metadata['decomposition'] === 'false') checkUndecomposed(source.file, config);
  return {
    method: methodOf('mpt', open.model, null),
    from: source.file,
    files: [source.file],
    initial: () => startFromSource(open, source, config, seeds, tasks),
    frozen: [
      ...(config.train_shared ? [] : ['shared_prompt']),
      ...(config.train_task_vectors ? [] : ['task_u', 'task_v']),
    ],
    metadata: {},
  };
}

/** What was distilled without decomposition has no u and v to start or to leave alone, and one prompt, which is trained. */
function checkUndecomposed(file: string, { train_shared, init }: Adaptation): void {
  const wrong = [
    ...(train_shared ? [] : ['train_shared false leaves nothing to train']),
    ...(init.task_vectors === 'mean_of_sources' ? [] : [`init.task_vectors ${init.task_vectors} is of no use`]),
  ];
  if (wrong.length === 0) return;
  throw new UserError(`${file} was distilled without decomposition, it has no u and v: ${wrong.join('; ')}`, {
    hint: 'Leave these keys out, or start from a run with decomposition: true.',
  });
}

/**
 * The files and checkpoint folders that runs of a method will start from, as far as they are there: for what is to be said
 * of all of them at once.
 *
 * @param targets tasks and stages of the runs, see `Entries`
 */
export function builtOn(
  name: MethodName,
  config: Adaptation,
  targets: readonly Entries['target'][],
  seeds: readonly number[],
): string[] {
  const sources = (seed: number, own: Adaptation): string[] =>
    ifThere(() => locateSourcePrompts(own, seed).map(({ prompt }) => prompt));
  return seeds.flatMap((seed): string[] => {
    if (name === 'mpt') return ifThere(() => [locateSource(config, seed)]);
    if (name === 'attempt') return sources(seed, config);
    if (name !== 'spot') return [];
    const searched = config.spot.source_task === null ? targets : [];
    return [
      ...sources(seed, spotSources(config)),
      ...searched.flatMap(({ task, stage }) => ifThere(() => [locateTargetPrompt(config, task, seed, stage).prompt])),
    ];
  });
}

/** What spot chooses among: the source task that is named, else those of all runs. */
function spotSources(config: Adaptation): Adaptation {
  const { source_task } = config.spot;
  return source_task === null ? config : { ...config, source_tasks: [source_task] };
}

/** The source prompts that a config names or finds, with their tasks. */
function sourcePrompts(open: OpenModel, config: Adaptation, seed: number): (StoredPrompt & { task: string })[] {
  const found = locateSourcePrompts(config, seed);
  const stored = readTeachers(
    open,
    found.map(({ prompt }) => prompt),
    config,
  );
  return stored.map((prompt, i) => ({ ...prompt, task: found[i]!.task }));
}

/** SPoT (Vu et al. 2022): one source prompt as the start, named or found by similarity of task embeddings. */
function fromSourcePrompt(open: OpenModel, config: Adaptation, { seeds, target }: Entries, runSeed: number): Start {
  const { source_task, similarity } = config.spot;
  const sources = sourcePrompts(open, spotSources(config), runSeed);
  const searched = source_task === null ? targetPrompts(open, config, target, runSeed) : null;
  const held = searched?.values.length ?? 1;
  if (held > 1 && held < seeds.length) {
    throw new UserError(`${searched!.file} holds the prompts of ${held} draws, but ${seeds.length} are asked for`, {
      hint: `Tune as many with --method pt first, or name a source: --set spot.source_task=…`,
    });
  }
  const choices = seeds.map((_, entry) => {
    if (searched === null) return { source: sources[0]!, score: null };
    return mostSimilar(sources, searched.values[entry] ?? searched.values[0]!, similarity);
  });
  const said = choices.map(({ source, score }) =>
    score === null ? `${source.task}, as named` : `${source.task}, cosine ${score.toFixed(3)}`,
  );
  const among = sources.length === 1 ? sources[0]!.file : `of ${sources.length} source prompts`;
  const other =
    searched === null || searched.seed === runSeed
      ? ''
      : `; by the prompt that pt tuned with seed ${searched.seed}, as there is none of seed ${runSeed}`;
  return {
    method: methodOf('spot', open.model, null),
    from: `${[...new Set(said)].join('; ')} (${among})${other}`,
    files: [...sources.map(({ file }) => file), ...(searched === null ? [] : [searched.file])],
    initial: () =>
      startFrom(
        choices.map(({ source: { tensors, length, d_model } }) => ({ data: tensors['prompt']!.data, length, d_model })),
      ),
    frozen: [],
    metadata: { source_tasks: choices.map(({ source }) => source.task).join(',') },
  };
}

/** ATTEMPT (Asai et al. 2022): all source prompts, frozen, mixed for each input by a trained sub-network. */
function mixture(open: OpenModel, config: Adaptation, { seeds, tasks }: Entries, runSeed: number): Start {
  const sources = sourcePrompts(open, config, runSeed);
  const { d_model } = open.model.config;
  const temperature = config.attempt.temperature ?? Math.floor(Math.E * d_model);
  const attempt = { ...config.attempt, temperature };
  return {
    method: methodOf('attempt', open.model, attempt),
    from: `a mixture of ${sources.map(({ task }) => task).join(', ')}; target prompt from ${config.prompt.init.kind}`,
    files: [...sources.map(({ file }) => file), ...promptInitFiles(config.prompt)],
    initial: () => ({
      ...startVanilla(open, config.prompt, seeds),
      ...initialAttempt(
        { d_model, sources: sources.length },
        // Runs side by side have a sub-network each; tasks share one, if the config says so.
        { ...attempt, entries: seeds.length, networks: tasks && attempt.shared_attention ? 1 : seeds.length },
        seeds.map((seed) => Rng.stream(seed, 'attention')),
      ),
      source_prompts: teacherBank(sources),
    }),
    frozen: ['source_prompts'],
    metadata: {
      source_tasks: sources.map(({ task }) => task).join(','),
      temperature: String(temperature),
      attention: attempt.attention,
    },
  };
}

/** Weights of the model, or put into it. One run trains alone; its tasks share them, but for their adapters. */
function fromModel(
  open: OpenModel,
  name: 'adapter' | 'bitfit' | 'finetune',
  config: Adaptation,
  { seeds, tasks }: Entries,
  runSeed: number,
): Start {
  const { model } = open;
  if (!tasks && seeds.length > 1) throw new Error(`${name} trains one run at a time`);
  const initial = {
    adapter: () => initialAdapter(model, { ...config.adapter, entries: seeds.length }, Rng.stream(runSeed, 'adapter')),
    bitfit: () => initialBitfit(model),
    finetune: () => initialFinetune(model),
  }[name];
  const from = { adapter: 'fresh adapters', bitfit: 'biases of zero', finetune: "the model's weights" }[name];
  return { method: methodOf(name, model, null), from, files: [], initial, frozen: [], metadata: {} };
}
