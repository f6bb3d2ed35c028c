import type { Example, MetricName, Task } from '../tasks/types.js';
import { accuracy, binaryF1, groupedExactMatch, INVALID, macroF1, matthewsCorrelation } from './classification.js';
import { pearson, spearman } from './correlation.js';
import { squadExactMatch, squadF1 } from './squad.js';
import { parseNumber, strip } from './text.js';

/** Class id of a text: a label word, or a class id as digits (the attempt template); INVALID for anything else. */
function classOf(text: string, labels: readonly string[]): number {
  const word = labels.indexOf(text);
  if (word >= 0) return word;
  const id = /^\d+$/.test(text) ? Number(text) : INVALID;
  return String(id) === text && id < labels.length ? id : INVALID;
}

function referencesOf({ references, target }: Example): readonly string[] {
  return references ?? [target];
}

function isAnswerTask(task: Task): boolean {
  return task.labels === undefined && (task.metrics.includes('em') || task.metrics.includes('f1'));
}

/**
 * Was the example answered right? The stripped prediction equals the target, or for question answering, equals one of
 * the references after SQuAD's normalisation.
 */
export function isCorrect(task: Task, prediction: string, example: Example): boolean {
  if (isAnswerTask(task)) return squadExactMatch(prediction, referencesOf(example));
  return strip(prediction) === strip(example.target);
}

/** A correlation counts what is no number as -1, as ATTEMPT does. */
function numbers(texts: readonly string[]): number[] {
  return texts.map(parseNumber).map((value) => (Number.isNaN(value) ? -1 : value));
}

function score(metric: MetricName, task: Task, predictions: readonly string[], examples: readonly Example[]): number {
  const texts = predictions.map(strip);
  const targets = examples.map(({ target }) => strip(target));
  const { labels } = task;
  const classes = (all: readonly string[]): number[] => {
    if (labels === undefined) throw new TypeError(`Task ${task.name}: the metric ${metric} needs labels`);
    return all.map((text) => classOf(text, labels));
  };
  switch (metric) {
    case 'accuracy':
      return accuracy(texts, targets);
    case 'f1':
      if (labels !== undefined) return binaryF1(classes(texts), classes(targets));
      return texts.reduce((sum, text, i) => sum + squadF1(text, referencesOf(examples[i]!)), 0) / texts.length;
    case 'f1_macro':
      return macroF1(classes(texts), classes(targets), labels?.length ?? 0);
    case 'em':
      return texts.filter((text, i) => squadExactMatch(text, referencesOf(examples[i]!))).length / texts.length;
    case 'matthews_correlation':
      return matthewsCorrelation(classes(texts), classes(targets));
    case 'pearson':
      return pearson(numbers(texts), numbers(targets));
    case 'spearman':
      return spearman(numbers(texts), numbers(targets));
    case 'grouped_em':
      return groupedExactMatch(
        texts.map((text, i) => isCorrect(task, text, examples[i]!)),
        examples.map(({ group, id }) => group ?? id),
      );
  }
}

/** All metrics of a task over generated texts, times 100. */
export function scorePredictions(
  task: Task,
  predictions: readonly string[],
  examples: readonly Example[],
): Partial<Record<MetricName, number>> {
  if (predictions.length !== examples.length || examples.length === 0) {
    throw new RangeError(`scorePredictions: ${predictions.length} predictions for ${examples.length} examples`);
  }
  return Object.fromEntries(task.metrics.map((metric) => [metric, 100 * score(metric, task, predictions, examples)]));
}
