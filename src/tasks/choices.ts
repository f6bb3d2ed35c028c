import { z } from 'zod';

/** The most options that a question of these sets has. */
export const LETTERS = ['A', 'B', 'C', 'D', 'E'] as const;

const choices = z.object({ text: z.array(z.string()).min(2).max(LETTERS.length), label: z.array(z.string()) });
type Choices = z.infer<typeof choices>;
type Question = { choices: Choices; answerKey: string };

/**
 * Fields of a multiple-choice row. Options are labelled A, B, ... or 1, 2, ... within one data set, so the answer is
 * looked up in the row's own labels; the hub writes "" where it hides the answer, which no row here may have.
 */
export const choiceFields = { choices, answerKey: z.string() };

/** Checks that the key is one of the row's labels; for `schema.superRefine`. */
export function checkAnswerKey({ choices: { text, label }, answerKey }: Question, context: z.RefinementCtx): void {
  if (text.length !== label.length) {
    const message = `as long as "choices.text" (${text.length} options)`;
    context.addIssue({ code: 'custom', path: ['choices', 'label'], message });
  }
  if (!label.includes(answerKey)) {
    context.addIssue({ code: 'custom', path: ['answerKey'], message: `one of ${label.join(', ')}` });
  }
}

/** `question: ... choice1: ... choice2: ...`, as many as the row has. */
export function choicePieces(question: string, { text }: Choices): string[] {
  return [`question: ${question}`, ...text.map((option, i) => `choice${i + 1}: ${option}`)];
}

/** The position of the right option; its class id. */
export function answerIndex({ choices: { label }, answerKey }: Question): number {
  return label.indexOf(answerKey);
}
