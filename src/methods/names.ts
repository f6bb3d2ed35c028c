/** Every way of tuning on a target task, in the order of the paper's Table 1 read upwards: the method first, then baselines. */
export const METHODS = ['mpt', 'pt', 'spot', 'attempt', 'adapter', 'bitfit', 'finetune'] as const;
export type MethodName = (typeof METHODS)[number];

/** Those that put soft prompts in front of a model that stays as it is; the others train weights in it. */
const PROMPT_METHODS: readonly MethodName[] = ['mpt', 'pt', 'spot', 'attempt'];

export function isPromptMethod(method: MethodName): boolean {
  return PROMPT_METHODS.includes(method);
}

/** What tells apart runs of one task and seed: how they tune, whether tasks train together, and named settings. */
export interface MethodId {
  method: MethodName;
  multi_task: boolean;
  variant: string | null;
}

const MULTI_TASK = 'multitask';

/** The name of a method in folders, CSVs and tables: `mpt`, `mpt-multitask`, `mpt-no_hidden`, `mpt-multitask-no_hidden`. */
export function methodLabel({ method, multi_task, variant }: MethodId): string {
  return [method, ...(multi_task ? [MULTI_TASK] : []), ...(variant === null ? [] : [variant])].join('-');
}

/** The reverse of `methodLabel`; undefined for what is no label of these methods. */
export function parseMethodLabel(label: string): MethodId | undefined {
  const [name, ...rest] = label.split('-');
  const method = METHODS.find((known) => known === name);
  if (method === undefined) return undefined;
  const multi_task = rest[0] === MULTI_TASK;
  const variant = rest.slice(multi_task ? 1 : 0).join('-');
  return { method, multi_task, variant: variant === '' ? null : variant };
}
