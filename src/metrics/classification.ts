/** Class of a prediction that is no label. */
export const INVALID = -1;

/** Share of equal entries. */
export function accuracy(predictions: readonly (string | number)[], targets: readonly (string | number)[]): number {
  return predictions.filter((prediction, i) => prediction === targets[i]).length / targets.length;
}

/** F1 of one class; 0 where it is neither predicted nor there (scikit-learn's zero_division=0). */
function f1OfClass(predictions: readonly number[], targets: readonly number[], positive: number): number {
  let both = 0;
  let either = 0;
  targets.forEach((target, i) => {
    const predicted = predictions[i] === positive;
    if (predicted && target === positive) both++;
    if (predicted) either++;
    if (target === positive) either++;
  });
  return either === 0 ? 0 : (2 * both) / either;
}

/**
 * F1 of class 1 of two; a prediction that is neither 0 nor 1 counts as the wrong one (ATTEMPT's
 * f1_score_with_invalid).
 */
export function binaryF1(predictions: readonly number[], targets: readonly number[]): number {
  const replaced = predictions.map((prediction, i) =>
    prediction === 0 || prediction === 1 ? prediction : 1 - targets[i]!,
  );
  return f1OfClass(replaced, targets, 1);
}

/** Unweighted mean of the F1 of classes 0..classes-1, present or not (T5's mean_multiclass_f1). */
export function macroF1(predictions: readonly number[], targets: readonly number[], classes: number): number {
  let sum = 0;
  for (let label = 0; label < classes; label++) sum += f1OfClass(predictions, targets, label);
  return sum / classes;
}

/** Matthews correlation over all classes that occur (INVALID is one), as scikit-learn's; 0 where it is undefined. */
export function matthewsCorrelation(predictions: readonly number[], targets: readonly number[]): number {
  const n = targets.length;
  const predicted = new Map<number, number>();
  const actual = new Map<number, number>();
  let correct = 0;
  targets.forEach((target, i) => {
    const prediction = predictions[i]!;
    if (prediction === target) correct++;
    predicted.set(prediction, (predicted.get(prediction) ?? 0) + 1);
    actual.set(target, (actual.get(target) ?? 0) + 1);
  });
  let cross = 0;
  for (const [label, count] of actual) cross += count * (predicted.get(label) ?? 0);
  const squares = (counts: Map<number, number>): number =>
    [...counts.values()].reduce((sum, count) => sum + count * count, 0);
  const spread = (n * n - squares(predicted)) * (n * n - squares(actual));
  return spread === 0 ? 0 : (correct * n - cross) / Math.sqrt(spread);
}

/** Share of groups whose every member is right. */
export function groupedExactMatch(correct: readonly boolean[], groups: readonly string[]): number {
  const whole = new Map<string, boolean>();
  correct.forEach((right, i) => whole.set(groups[i]!, (whole.get(groups[i]!) ?? true) && right));
  return [...whole.values()].filter(Boolean).length / whole.size;
}
