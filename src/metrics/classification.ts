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

function invalidIsWrong(predictions: readonly number[], targets: readonly number[]): number[] {
  return predictions.map((prediction, i) => (prediction === 0 || prediction === 1 ? prediction : 1 - targets[i]!));
}

/**
 * F1 of class 1 of two; a prediction that is neither 0 nor 1 counts as the wrong one (ATTEMPT's
 * f1_score_with_invalid).
 */
export function binaryF1(predictions: readonly number[], targets: readonly number[]): number {
  return f1OfClass(invalidIsWrong(predictions, targets), targets, 1);
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

/**
 * MultiRC's F1m as the Hugging Face `super_glue` metric has it: per question the mean F1 of those of the classes 0 and 1
 * that occur among its labels or predictions, then the mean over questions. What is neither 0 nor 1 counts as the wrong
 * class. (MultiRC's first script takes the F1 of the mean precision and mean recall of class 1.)
 */
export function f1PerQuestion(
  predictions: readonly number[],
  targets: readonly number[],
  groups: readonly string[],
): number {
  const members = new Map<string, number[]>();
  groups.forEach((group, i) => members.set(group, [...(members.get(group) ?? []), i]));
  const replaced = invalidIsWrong(predictions, targets);
  let sum = 0;
  for (const rows of members.values()) {
    const predicted = rows.map((i) => replaced[i]!);
    const actual = rows.map((i) => targets[i]!);
    const classes = new Set([...predicted, ...actual]);
    let f1 = 0;
    for (const label of classes) f1 += f1OfClass(predicted, actual, label);
    sum += f1 / classes.size;
  }
  return sum / members.size;
}
