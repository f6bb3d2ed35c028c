const IRREGULAR: Readonly<Record<string, string>> = {
  ...{ sky: 'sky', skies: 'sky', dying: 'die', lying: 'lie', tying: 'tie', news: 'news', howe: 'howe' },
  ...{
    innings: 'inning',
    inning: 'inning',
    outings: 'outing',
    outing: 'outing',
    cannings: 'canning',
    canning: 'canning',
  },
  ...{ proceed: 'proceed', exceed: 'exceed', succeed: 'succeed' },
};

/** Letters as c (consonant) and v (vowel); y is a vowel behind a consonant. */
function shape(word: string): string {
  let letters = '';
  for (const letter of word) {
    const vowel = 'aeiou'.includes(letter) || (letter === 'y' && letters.endsWith('c'));
    letters += vowel ? 'v' : 'c';
  }
  return letters;
}

/** Porter's measure: how often a vowel stands before a consonant. */
function measure(stem: string): number {
  return shape(stem).split('vc').length - 1;
}

/** Ends consonant, vowel, consonant but w, x, y; NLTK adds words of a vowel and a consonant. */
function endsShort(word: string): boolean {
  const letters = shape(word);
  return (letters.endsWith('cvc') && !/[wxy]$/.test(word)) || letters === 'vc';
}

type Rule = readonly [suffix: string, replacement: string, condition?: (stem: string) => boolean];

/** The first rule whose suffix the word has; nothing happens where its condition fails. */
function applyFirst(word: string, rules: readonly Rule[]): string {
  for (const [suffix, replacement, condition] of rules) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, word.length - suffix.length);
    return condition === undefined || condition(stem) ? stem + replacement : word;
  }
  return word;
}

const positive = (stem: string): boolean => measure(stem) > 0;
const large = (stem: string): boolean => measure(stem) > 1;

const STEP_1A: readonly Rule[] = [
  ['sses', 'ss'],
  ['ies', 'i'],
  ['ss', 'ss'],
  ['s', ''],
];
const STEP_2: readonly Rule[] = [
  ...[
    ['ational', 'ate'],
    ['tional', 'tion'],
    ['enci', 'ence'],
    ['anci', 'ance'],
    ['izer', 'ize'],
    ['bli', 'ble'],
  ],
  ...[
    ['alli', 'al'],
    ['entli', 'ent'],
    ['eli', 'e'],
    ['ousli', 'ous'],
    ['ization', 'ize'],
    ['ation', 'ate'],
  ],
  ...[
    ['ator', 'ate'],
    ['alism', 'al'],
    ['iveness', 'ive'],
    ['fulness', 'ful'],
    ['ousness', 'ous'],
    ['aliti', 'al'],
  ],
  ...[
    ['iviti', 'ive'],
    ['biliti', 'ble'],
    ['fulli', 'ful'],
  ],
].map(([suffix, replacement]): Rule => [suffix!, replacement!, positive]);
const STEP_3: readonly Rule[] = [
  ...[
    ['icate', 'ic'],
    ['ative', ''],
    ['alize', 'al'],
    ['iciti', 'ic'],
    ['ical', 'ic'],
    ['ful', ''],
    ['ness', ''],
  ],
].map(([suffix, replacement]): Rule => [suffix!, replacement!, positive]);
const STEP_4: readonly Rule[] = [
  ...['al', 'ance', 'ence', 'er', 'ic', 'able', 'ible', 'ant', 'ement', 'ment', 'ent', 'ion', 'ou', 'ism', 'ate'],
  ...['iti', 'ous', 'ive', 'ize'],
].map((suffix): Rule => [suffix, '', suffix === 'ion' ? (stem) => large(stem) && /[st]$/.test(stem) : large]);

function step1a(word: string): string {
  return /^..?ies$/u.test(word) && [...word].length === 4 ? word.slice(0, -1) : applyFirst(word, STEP_1A);
}

function step1b(word: string): string {
  if (word.endsWith('ied')) return word.slice(0, [...word].length === 4 ? -1 : -2);
  if (word.endsWith('eed')) return positive(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const stem = /^(.*)(?:ed|ing)$/su.exec(word)?.[1];
  if (stem === undefined || !shape(stem).includes('v')) return word;
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (stem.length >= 2 && stem.at(-1) === stem.at(-2) && shape(stem).endsWith('c')) {
    return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1);
  }
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem;
}

function step1c(word: string): string {
  const stem = word.slice(0, -1);
  return word.endsWith('y') && stem.length > 1 && shape(stem).endsWith('c') ? `${stem}i` : word;
}

function step2(word: string): string {
  if (word.endsWith('alli') && positive(word.slice(0, -4))) return step2(word.slice(0, -2));
  // The l of -logi counts for the stem, so that "geologi" is long enough.
  return applyFirst(word, [...STEP_2, ['logi', 'log', (stem) => positive(`${stem}l`)]]);
}

function step5(word: string): string {
  let result = word;
  if (word.endsWith('e')) {
    const stem = word.slice(0, -1);
    if (large(stem) || (measure(stem) === 1 && !endsShort(stem))) result = stem;
  }
  return result.endsWith('ll') && large(result.slice(0, -1)) ? result.slice(0, -1) : result;
}

/**
 * Stem of an English word in small letters: Porter's algorithm (1980) with the changes of NLTK's PorterStemmer in its
 * default mode (a list of irregular words; "dies" → "die", "enjoy" kept, "spy" → "spi").
 */
export function porterStem(word: string): string {
  const small = word.toLowerCase();
  if (Object.hasOwn(IRREGULAR, small)) return IRREGULAR[small]!;
  if ([...word].length <= 2) return small;
  return step5(applyFirst(applyFirst(step2(step1c(step1b(step1a(small)))), STEP_3), STEP_4));
}
