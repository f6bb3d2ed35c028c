import type { MetricName } from '../tasks/types.js';

export interface MetricFacts {
  /** What tables call it. */
  label: string;
  /** 'percent': 0 to 100 (TER may go above, correlations below 0); 'raw': the scale that the reference scorer prints. */
  scale: 'percent' | 'raw';
  lower_is_better: boolean;
}

function percent(label: string): MetricFacts {
  return { label, scale: 'percent', lower_is_better: false };
}

export const METRIC_FACTS: Readonly<Record<MetricName, MetricFacts>> = {
  accuracy: percent('accuracy'),
  f1: percent('F1'),
  f1_macro: percent('macro F1'),
  f1_per_question: percent('F1 per question'),
  em: percent('exact match'),
  matthews_correlation: percent('Matthews correlation'),
  pearson: percent('Pearson correlation'),
  spearman: percent('Spearman correlation'),
  grouped_em: percent('exact match per question'),
  bleu: percent('BLEU'),
  nist: { label: 'NIST', scale: 'raw', lower_is_better: false },
  meteor_nltk: percent('METEOR (NLTK)'),
  rouge_l: percent('ROUGE-L'),
  cider: { label: 'CIDEr', scale: 'raw', lower_is_better: false },
  ter: { label: 'TER', scale: 'percent', lower_is_better: true },
};

/** Can scores of the metric be averaged with those of others and the highest be called the best? */
export function isComparable(metric: MetricName): boolean {
  const { scale, lower_is_better } = METRIC_FACTS[metric];
  return scale === 'percent' && !lower_is_better;
}
