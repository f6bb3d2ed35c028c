import type { Fault } from '../config/errors.js';
import { findLocated, type LocatedMap } from '../config/located.js';
import { showPath } from '../config/show-path.js';
import { builtInTasks, GROUP_NAMES } from './registry.js';
import { isOneField, parseTemplate, TemplateFault } from './text-template.js';
import { isComparable } from '../metrics/facts.js';
import type { MetricName } from './types.js';
import { isLabelTarget, type UserTaskSpec } from './user-task-schema.js';

/** Metrics of generated text: they mean nothing on labels. */
const TEXT_METRICS: readonly MetricName[] = ['em', 'bleu', 'nist', 'meteor_nltk', 'rouge_l', 'cider', 'ter'];
const NUMBER_METRICS: readonly MetricName[] = ['pearson', 'spearman'];
const CLASS_METRICS: readonly MetricName[] = ['f1_macro', 'matthews_correlation', 'f1_per_question'];
const BINARY_METRICS: readonly MetricName[] = ['f1', 'f1_per_question'];
const GROUP_METRICS: readonly MetricName[] = ['grouped_em', 'f1_per_question'];

type Report = (path: readonly PropertyKey[], message: string) => void;

/** A template of a file and the key it stands at. */
interface PlacedTemplate {
  path: readonly PropertyKey[];
  text: string;
}

/** Every text in a value, with its path. */
function textsIn(value: unknown, path: readonly PropertyKey[]): PlacedTemplate[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner, [...path, key]));
}

/** The templates of a file; it may have faults elsewhere. */
export function templatesOf(file: Readonly<Record<string, unknown>>): PlacedTemplate[] {
  return ['template', 'target', 'references', 'group', 'merge_key'].flatMap((key) => {
    const value = file[key];
    const label = key === 'target' && typeof value === 'object' && value !== null && 'label' in value;
    return label ? [] : textsIn(value, [key]);
  });
}

function checkTemplates(file: Readonly<Record<string, unknown>>, report: Report): void {
  for (const { path, text } of templatesOf(file)) {
    try {
      const template = parseTemplate(text);
      if (path[0] === 'references' && !isOneField(template)) {
        report(path, 'right would be one field that holds a text or a list of texts, as "{answers.text}"');
      }
    } catch (error) {
      if (!(error instanceof TemplateFault)) throw error;
      report(path, error.message);
    }
  }
}

function checkLabels({ labels, target }: Partial<UserTaskSpec>, report: Report): void {
  labels?.forEach((word, i) => {
    if (labels.indexOf(word) < i) report(['labels', i], `"${word}" is there twice`);
  });
  if (target === undefined || !isLabelTarget(target)) return;
  const { values } = target;
  if (labels === undefined) {
    report(['target', 'label'], 'a label needs "labels", the words of the classes in the order of their ids');
  } else if (values !== undefined && values.length !== labels.length) {
    report(['target', 'values'], `${values.length} values for ${labels.length} labels; right would be one for each`);
  }
}

/** Why a metric does not fit the task, if so. */
function misfit(metric: MetricName, { labels, target, group }: Partial<UserTaskSpec>): string | undefined {
  const byLabel = target !== undefined && isLabelTarget(target);
  if (labels === undefined && CLASS_METRICS.includes(metric)) return 'needs "labels"';
  if (labels !== undefined && labels.length !== 2 && BINARY_METRICS.includes(metric)) {
    return `is for two labels, and there are ${labels.length}; right would be f1_macro or accuracy`;
  }
  if (byLabel && TEXT_METRICS.includes(metric)) return 'is for written answers; for labels, right would be accuracy';
  if ((byLabel || labels !== undefined) && NUMBER_METRICS.includes(metric)) {
    return 'is for targets that are numbers; for labels, right would be accuracy';
  }
  if (group === undefined && GROUP_METRICS.includes(metric)) {
    return 'needs "group", which says what is scored together';
  }
  return undefined;
}

function checkMetrics(spec: Partial<UserTaskSpec>, report: Report): void {
  const { metrics, headline } = spec;
  metrics?.forEach((metric, i) => {
    const reason = misfit(metric, spec);
    if (metrics.indexOf(metric) < i) report(['metrics', i], `"${metric}" is there twice`);
    else if (reason !== undefined) report(['metrics', i], `"${metric}" ${reason}`);
  });
  if (headline !== undefined && metrics !== undefined && !metrics.includes(headline)) {
    report(['headline'], `"${headline}" is none of the task's metrics (${metrics.join(', ')})`);
  }
  // The first metric is the headline where none is named.
  const shown = headline ?? metrics?.[0];
  if (shown !== undefined && !isComparable(shown)) {
    const key = headline === undefined ? ['metrics', 0] : ['headline'];
    report(
      key,
      `"${shown}" cannot be the headline: checkpoints and averages go by a score from 0 to 100, higher is better`,
    );
  }
}

function checkSplits({ splits, split_rule, merge_key }: Partial<UserTaskSpec>, report: Report): void {
  if (split_rule === 'large' && merge_key !== undefined) {
    report(
      ['merge_key'],
      'does not go with the split rule "large", which would train on other texts of what it validates on',
    );
  }
  if (splits === undefined || split_rule === undefined) return;
  const { validation, test } = splits;
  if (split_rule === 'official' && (validation === undefined || test === undefined)) {
    report(['splits'], 'the split rule "official" needs the names of validation and test; see also small and large');
  } else if (validation === undefined && test === undefined) {
    report(['splits'], `the split rule "${split_rule}" needs the name of validation or test beside train`);
  }
}

function checkNames({ name, folder }: Partial<UserTaskSpec>, report: Report): void {
  if (name !== undefined) {
    if (builtInTasks().some((task) => task.name === name)) report(['name'], `a task "${name}" ships with mpt`);
    else if (GROUP_NAMES.includes(name)) report(['name'], `"${name}" is the name of a group of tasks`);
  }
  if (folder !== undefined && (/^([/\\]|[A-Za-z]:)/.test(folder) || folder.split(/[/\\]/).includes('..'))) {
    report(['folder'], 'right would be a folder below --data-dir, without ".."');
  }
}

/**
 * What the schema cannot say: templates that do not parse, labels, metrics and splits that do not fit together, names
 * that are taken.
 *
 * @param spec the keys that are right by themselves
 * @param file all keys as written
 */
export function checkUserTask(
  spec: Partial<UserTaskSpec>,
  file: Readonly<Record<string, unknown>>,
  written: LocatedMap,
): Fault[] {
  const faults: Fault[] = [];
  const report: Report = (path, message) => {
    const { value } = findLocated(written, path);
    faults.push({ origin: value.origin, path: showPath(path), message });
  };
  checkTemplates(file, report);
  checkLabels(spec, report);
  checkMetrics(spec, report);
  checkSplits(spec, report);
  checkNames(spec, report);
  return faults;
}

/** A fault for a name that two files give. */
export function sameNameFault(name: string, written: LocatedMap, otherFile: string): Fault {
  const { value } = findLocated(written, ['name']);
  return { origin: value.origin, path: 'name', message: `${otherFile} defines a task "${name}" too` };
}
