import type { Example, MetricName, Task } from '../tasks/types.js';
import { corpusBleu } from './bleu.js';
import { cider } from './cider.js';
import {
  accuracy,
  binaryF1,
  f1PerQuestion,
  groupedExactMatch,
  INVALID,
  macroF1,
  matthewsCorrelation,
} from './classification.js';
import { pearson, spearman } from './correlation.js';
import { meteorNltk } from './meteor.js';
import { corpusNist } from './nist.js';
import { rougeL } from './rouge.js';
import { squadExactMatch, squadF1 } from './squad.js';
import { corpusTer } from './ter.js';
import { parseNumber, strip } from './text.js';

/** Class id of a text: a label word, or a class id as digits (the attempt template); INVALID for anything else. */
function classOf(text: string, labels: readonly string[]): number {
  const word = labels.indexOf(text);
  if (word >= 0) return word;
  const id = /^\d+$/.test(text) ? Number(text) : INVALID;
  return String(id) === text && id < labels.length ? id : INVALID;
}

function referencesOf({ references, target }: Example): readonly string[] {
  return references === undefined || references.length === 0 ? [target] : references;
}

function isAnswerTask(task: Task): boolean {
  return task.labels === undefined && (task.metrics.includes('em') || task.metrics.includes('f1'));
}

/**
 * Was the example answered right? The stripped prediction is one of the references, letter for letter; for question
 * answering, after SQuAD's normalisation.
 */
export function isCorrect(task: Task, prediction: string, example: Example): boolean {
  if (isAnswerTask(task)) return squadExactMatch(prediction, referencesOf(example));
  const text = strip(prediction);
  return referencesOf(example).some((reference) => strip(reference) === text);
}

/** A correlation counts what is no number as -1, as ATTEMPT does. */
function numbers(texts: readonly string[]): number[] {
  return texts.map(parseNumber).map((value) => (Number.isNaN(value) ? -1 : value));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** One metric on the scale that METRIC_FACTS gives for it. */
function score(metric: MetricName, task: Task, predictions: readonly string[], examples: readonly Example[]): number {
  const texts = predictions.map(strip);
  const targets = examples.map(({ target }) => strip(target));
  const references = examples.map(referencesOf);
  const groups = examples.map(({ group, id }) => group ?? id);
  const { labels } = task;
  const classes = (all: readonly string[]): number[] => {
    if (labels === undefined) throw new TypeError(`Task ${task.name}: the metric ${metric} needs labels`);
    return all.map((text) => classOf(text, labels));
  };
  switch (metric) {
    case 'accuracy':
      return 100 * accuracy(texts, targets);
    case 'f1':
      if (labels !== undefined) return 100 * binaryF1(classes(texts), classes(targets));
      return 100 * mean(texts.map((text, i) => squadF1(text, references[i]!)));
    case 'f1_macro':
      return 100 * macroF1(classes(texts), classes(targets), labels?.length ?? 0);
    case 'f1_per_question':
      return 100 * f1PerQuestion(classes(texts), classes(targets), groups);
    case 'em':
      return 100 * mean(texts.map((text, i) => Number(squadExactMatch(text, references[i]!))));
    case 'matthews_correlation':
      return 100 * matthewsCorrelation(classes(texts), classes(targets));
    case 'pearson':
      return 100 * pearson(numbers(texts), numbers(targets));
    case 'spearman':
      return 100 * spearman(numbers(texts), numbers(targets));
    case 'grouped_em': {
      const right = texts.map((text, i) => isCorrect(task, text, examples[i]!));
      return 100 * groupedExactMatch(right, groups);
    }
    case 'bleu':
      return corpusBleu(texts, references);
    case 'nist':
      return corpusNist(texts, references);
    case 'meteor_nltk':
      return 100 * meteorNltk(texts, references);
    case 'rouge_l':
      return 100 * rougeL(texts, references);
    case 'cider':
      return cider(texts, references);
    case 'ter':
      return corpusTer(texts, references);
  }
}

/** All metrics of a task over generated texts: percentages, but NIST and CIDEr on their own scales (see facts.ts). */
export function scorePredictions(
  task: Task,
  predictions: readonly string[],
  examples: readonly Example[],
): Partial<Record<MetricName, number>> {
  if (predictions.length !== examples.length || examples.length === 0) {
    throw new RangeError(`scorePredictions: ${predictions.length} predictions for ${examples.length} examples`);
  }
  return Object.fromEntries(task.metrics.map((metric) => [metric, score(metric, task, predictions, examples)]));
}
