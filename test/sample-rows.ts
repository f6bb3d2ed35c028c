// Rows in the hub's shape for every task of files, made up for tests: whole-pipeline runs, a local hub, a data folder.
import type { FileTask, Row } from '../src/tasks/types.js';

const THINGS = ['house', 'river', 'story', 'garden', 'song', 'winter', 'letter', 'market', 'bridge', 'lamp', 'boat'];
const NAMES = ['Anna', 'Boris', 'Clara', 'David', 'Elif', 'Farid', 'Greta'];
const GOOD = ['warm', 'fine', 'great', 'bright'];
const BAD = ['cold', 'poor', 'dull', 'dark'];

/** `n` counts on over the splits, so no two rows of a task are alike; labels follow it, so each class comes up. */
type RowMaker = (n: number) => Row;

const at = <T>(items: readonly T[], n: number): T => items[n % items.length]!;
const thing = (n: number): string => `${at(THINGS, n)} no. ${n}`;
const judged = (n: number, good: boolean): string => at(good ? GOOD : BAD, n);

function inference(n: number, relation: 'same' | 'other' | 'against'): { premise: string; hypothesis: string } {
  const premise = `They say that the ${thing(n)} is ${judged(n, true)}.`;
  if (relation === 'other') return { premise, hypothesis: `A ${at(THINGS, n + 3)} is mentioned.` };
  return { premise, hypothesis: `The ${thing(n)} is ${judged(n, relation === 'same')}.` };
}

function pair(n: number, same: boolean): [string, string] {
  const first = `The ${thing(n)} was ${judged(n, true)} , they said .`;
  return [first, same ? `They said that the ${thing(n)} was ${judged(n, true)} .` : `The ${thing(n + 1)} is sold .`];
}

/** A question with as many options as asked for, labelled by letters or digits; the right one is named in it. */
function choices(n: number, { options, right = n % options, digits = false }: ChoiceOptions): Row {
  const label = Array.from({ length: options }, (_, i) => (digits ? String(i + 1) : 'ABCDE'[i]!));
  const text = label.map((_, i) => `a ${at(THINGS, n + i)}`);
  return { question: `Question ${n}: which is ${text[right]!}?`, choices: { text, label }, answerKey: label[right]! };
}

interface ChoiceOptions {
  options: number;
  /** Position of the right one. */
  right?: number;
  digits?: boolean;
}

/** Punctuation of all kinds; several answers, one of them twice. */
function answered(n: number): { question: string; context: string; answers: string[] } {
  const year = 1800 + n;
  return {
    question: `When was the "${at(THINGS, n)}" built?`,
    context: `[DOC] The ${at(THINGS, n)} (naïve, e\u0301gal_ité): £${n}.50; it was built in ${year}–${year + 2}.`,
    answers: n % 3 === 0 ? [String(year), `in ${year}`, String(year)] : [`${year}–${year + 2}`],
  };
}

/** Noun first, pronoun first, a span that is no valid pattern, and one that matches nothing at its place. */
function pronoun(n: number): Row {
  const [first, second] = [at(NAMES, n), at(NAMES, n + 1)];
  const rest = { idx: n, label: n % 2 };
  const spans = (span1_text: string, span1_index: number, span2_text: string, span2_index: number): Row => ({
    ...{ span1_index, span2_index, span1_text, span2_text },
  });
  switch (n % 6) {
    case 0:
    case 1:
      return {
        text: `${first} told ${second} that she was late for the ${thing(n)}.`,
        ...spans(n % 2 ? first : second, n % 2 ? 0 : 2, 'she', 4),
        ...rest,
      };
    case 2:
    case 3:
      return { text: `When he came home, ${first} saw the ${thing(n)}.`, ...spans(first, 4, 'he', 1), ...rest };
    case 4:
      return {
        text: `The (old ${thing(n)} fell because it was heavy.`,
        ...spans(`The (old ${thing(n)}`, 0, 'it', 7),
        ...rest,
      };
    default:
      return {
        text: `${first} and ${second} met; "they" saw the ${thing(n)}.`,
        ...spans(`${first} and`, 0, 'they', 4),
        ...rest,
      };
  }
}

/** Three texts of each meaning, which follow each other as in the data. */
function restaurant(n: number): Row {
  const meaning = Math.floor(n / 3);
  const [name, food] = [`The ${at(THINGS, meaning)} ${meaning}`, at(['French', 'Indian', 'Italian'], meaning)];
  const text = at([`${name} serves ${food} food.`, `You get ${food} food at ${name}.`, `${food} food? ${name}!`], n);
  const friendly = meaning % 2 ? 'yes' : 'no';
  return {
    meaning_representation: `name[${name}], food[${food}], familyFriendly[${friendly}]`,
    human_reference: text,
  };
}

function facts(n: number, training: boolean): Row {
  const subject = `${at(NAMES, n)}_${n}`;
  const triples = [`${subject} | birthYear | ${1900 + n}`, `${subject} | birthPlace | "Aarhus, Denmark"`];
  const target = `${at(NAMES, n)} was born in ${1900 + n}${n % 2 ? ' in Aarhus, Denmark' : ''}.`;
  const references = [target, `${1900 + n} is when ${at(NAMES, n)} was born.`, `Born ${1900 + n}: ${at(NAMES, n)}.`];
  return {
    gem_id: `web_nlg_en-${training ? 'train' : 'validation'}-${n}`,
    input: triples.slice(0, 1 + (n % 2)),
    target,
    references: training ? [] : references.slice(0, 1 + (n % 3)),
    category: 'Person',
    webnlg_id: `made-up/Person/${n}`,
  };
}

/** Scores on and beside the steps of both roundings. */
const SCORES = [0, 5, 2.5, 3.1, 0.85, 1.7, 4.667, 3.3, 0.1, 2.25, 3.8, 1.0];

const nli =
  (order: readonly ('same' | 'other' | 'against')[]): RowMaker =>
  (n) => ({
    ...inference(n, at(order, n)),
    label: n % order.length,
    idx: n,
  });
const sentencePair: RowMaker = (n) => {
  const [sentence1, sentence2] = pair(n, n % 2 === 1);
  return { sentence1, sentence2, label: n % 2, idx: n };
};
const review: (stars: number) => RowMaker = (stars) => (n) => ({
  text: `The ${thing(n)} was ${judged(n, n % stars >= stars / 2)}.\n"${'very '.repeat(n % stars)}much so"`,
  label: n % stars,
});
const mrqa: RowMaker = (n) => ({ ...answered(n), key: `q${n}` });
/** Three, four or five options; digits on some. */
const science: RowMaker = (n) => ({
  id: `made-up-${n}`,
  ...at(
    [
      choices(n, { options: 4 }),
      choices(n, { options: 3 }),
      choices(n, { options: 5, right: 4 }),
      choices(n, { options: 4, digits: true }),
    ],
    n,
  ),
});

const MAKERS: Readonly<Record<string, RowMaker>> = {
  mnli: nli(['same', 'other', 'against']),
  anli: (n) => ({
    uid: `u${n}`,
    ...inference(n, at(['same', 'other', 'against'] as const, n)),
    label: n % 3,
    reason: '',
  }),
  cb: nli(['same', 'against', 'other']),
  superglue_rte: nli(['same', 'other']),
  qnli: (n) => ({
    question: `How is the ${thing(n)}?`,
    sentence: n % 2 ? `The ${thing(n + 1)} is closed.` : `The ${thing(n)} is ${judged(n, true)}.`,
    label: n % 2,
    idx: n,
  }),
  qqp: (n) => ({
    question1: `Where is the ${thing(n)}?`,
    question2: `Where do I find the ${thing(n % 2 ? n : n + 5)}?`,
    label: n % 2,
    idx: n,
  }),
  rte: (n) => ({ ...sentencePair(n), label: 1 - (n % 2) }),
  mrpc: sentencePair,
  paws: (n) => ({ ...sentencePair(n), id: n }),
  stsb: (n) => ({ ...sentencePair(n), label: at(SCORES, n) }),
  // The hub's sentences end with a space.
  sst2: (n) => ({ sentence: `the ${thing(n)} is ${judged(n, n % 2 === 1)} `, label: n % 2, idx: n }),
  cola: (n) => ({ sentence: n % 2 ? `The ${thing(n)} is here.` : `Here the is ${thing(n)}.`, label: n % 2, idx: n }),
  boolq: (n) => ({
    question: `is the ${thing(n)} ${at(GOOD, n)}`,
    passage: `${thing(n)} -- It is ${judged(n, n % 2 === 1)}.`,
    idx: n,
    label: n % 2,
  }),
  copa: (n) => ({
    ...{ premise: `The ${thing(n)} broke.`, choice1: `${at(NAMES, n)} dropped it.`, choice2: 'It was repaired.' },
    ...{ question: n % 2 ? 'effect' : 'cause', idx: n, label: n % 2 },
  }),
  wic: (n) => ({
    ...{ word: 'bank', sentence1: `The bank of river no. ${n}.`, sentence2: n % 2 ? 'A muddy bank.' : 'A bank lends.' },
    ...{ start1: 4, start2: 2, end1: 8, end2: 6, idx: n, label: n % 2 },
  }),
  wsc: pronoun,
  multirc: (n) => ({
    paragraph: `<b>Sent 1: </b>The ${thing(Math.floor(n / 3))} is ${at(GOOD, n)}.<br><b>Sent 2: </b>It rained.<br>`,
    question: `How is the ${thing(Math.floor(n / 3))}?`,
    answer: n % 5 === 4 ? '' : n % 2 ? at(GOOD, n) : `<b>${at(BAD, n)}</b>`,
    idx: { paragraph: Math.floor(n / 6), question: Math.floor(n / 3), answer: n },
    label: n % 2,
  }),
  record: (n) => {
    const entities = [at(NAMES, n), at(NAMES, n + 1), at(NAMES, n + 2)];
    return {
      passage:
        `${entities[0]!} met ${entities[1]!} near the ${thing(n)}\n@highlight\n` +
        `${entities[2]!} left early.\n@highlight\nIt rained.`,
      query: '@placeholder went to the river',
      entities,
      // One example for each; none becomes an unknown word.
      answers: entities.slice(0, n % 4),
      idx: { passage: Math.floor(n / 2), query: n },
    };
  },
  squad: (n) => {
    const { question, context, answers } = answered(n);
    return {
      id: `s${n}`,
      title: at(THINGS, n),
      context,
      question,
      answers: { text: answers, answer_start: answers.map(() => n) },
    };
  },
  nq: mrqa,
  hotpotqa: mrqa,
  newsqa: mrqa,
  searchqa: mrqa,
  winogrande: (n) => ({
    sentence: `The ${at(THINGS, n)} beat the ${at(THINGS, n + 1)} in round ${n}, so the _ ${n % 2 ? 'lost' : 'won'}.`,
    ...{ option1: at(THINGS, n), option2: at(THINGS, n + 1), answer: String(1 + (n % 2)) },
  }),
  yelp_polarity: review(2),
  yelp_review_full: review(5),
  scitail: (n) => {
    const { premise, hypothesis } = inference(n, n % 2 ? 'other' : 'same');
    return { sentence1: premise, sentence2: hypothesis, gold_label: n % 2 ? 'neutral' : 'entailment' };
  },
  ag_news: (n) => ({
    text: `${at(['Minister', 'Striker', 'Shares', 'Satellite'], n)} news The ${thing(n)} (Reuters) -- today.`,
    label: n % 4,
  }),
  commonsense_qa: (n) => ({ id: `c${n}`, ...choices(n, { options: 5 }), question_concept: at(THINGS, n) }),
  openbookqa: (n) => {
    const { question, ...rest } = choices(n, { options: 4 });
    return { id: `o${n}`, question_stem: question, ...rest };
  },
  arc_easy: science,
  arc_challenge: science,
  e2e: restaurant,
  e2e_cleaned: restaurant,
};

/** Rows that another split's numbers never reach. */
const SPLIT_STRIDE = 300;

/**
 * Rows of every split that a task reads, by the hub's names of the splits. All labels occur in each split, and so do
 * the cases that are easy to get wrong.
 *
 * @param rows of each split; more than twice the labels, so that halves hold most of them
 */
export function sampleRows(task: FileTask, rows: number = 12): Record<string, Row[]> {
  if (rows > SPLIT_STRIDE) throw new RangeError(`sampleRows: ${rows} rows; at most ${SPLIT_STRIDE}`);
  const names = [...new Set(Object.values(task.splits))];
  return Object.fromEntries(
    names.map((split, i) => {
      const numbers = Array.from({ length: rows }, (_, k) => i * SPLIT_STRIDE + k);
      if (task.name === 'webnlg') return [split, numbers.map((n) => facts(n, split === task.splits.train))];
      const maker = MAKERS[task.name];
      if (maker === undefined) throw new RangeError(`sampleRows: no rows are made up for the task ${task.name}`);
      return [split, numbers.map(maker)];
    }),
  );
}
