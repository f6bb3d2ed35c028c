/** Keep the period behind them wherever they stand: titles, companies, states, months, days and the like. */
const ABBREVIATIONS = [
  ...['mr', 'mrs', 'ms', 'drs?', 'profs?', 'sens?', 'reps?', 'attys?', 'lt', 'col', 'gen', 'messrs', 'govs?', 'adm'],
  ...['rev', 'maj', 'sgt', 'cpl', 'pvt', 'mt', 'capt', 'ste?', 'ave', 'pres', 'lieut', 'hon', 'brig', 'co?mdr', 'pfc'],
  ...['spc', 'supts?', 'det', 'jr', 'sr', 'bros', 'blvd', 'rd', 'esq', 'inc', 'cos?', 'corp', 'pt[ye]', 'ltd', 'plc'],
  ...['rt', 'bancorp', 'dept', 'bhd', 'assn', 'univ', 'intl', 'sys', 'ala', 'ariz', 'calif', 'colo', 'conn', 'ct'],
  ...['dak', 'fla', 'ga', 'ind', 'kans?', 'ky', 'md', 'mich', 'minn', 'mo', 'mont', 'neb', 'nev', 'okla', 'penn'],
  ...['tenn', 'va', 'vt', 'wisc?', 'wyo', 'jan', 'feb', 'mar', 'apr', 'jun', 'jul', 'aug', 'sept?', 'oct', 'nov'],
  ...['dec', 'mon', 'tues?', 'wed', 'thu', 'thurs', 'fri', '(?:ed|ph)\\.d', 'ph', 'etc', 'al', 'seq', 'bldg', 'est'],
  ...[
    'vs',
    'ft',
    'tel',
    'natl',
    'assoc',
    'mfg',
    'cie',
    'cf',
    'sq',
    'mlle',
    'mme',
    'msgr',
    'asst',
    'insp',
    'ad[jv]',
    'wm',
  ],
].join('|');
const ABBREVIATIONS_BEFORE_NUMBERS = 'nos?|prop|figs?|ca|pp|op|art';

/** Words that start a sentence behind a letter and a period. */
const SENTENCE_STARTS = [
  ...[
    'A',
    'About',
    'According',
    'Additionally',
    'After',
    'An',
    'As',
    'At',
    'But',
    'He',
    'Her',
    'Here',
    'However',
    'If',
  ],
  ...['In', 'It', 'Last', 'Many', 'More', 'Now', 'Once', 'One', 'Other', 'Our', 'She', 'Since', 'So', 'Some', 'Such'],
  ...['That', 'The', 'Their', 'Then', 'There', 'These', 'They', 'This', 'We', 'What', 'When', 'While', 'Yet', 'You'],
].join('|');

const LETTER = '[\\p{L}\\p{M}]';
const ALNUM = '[\\p{L}\\p{M}\\p{Nd}]';
const WORD = `${LETTER}${ALNUM}*(?:[.!?]${LETTER}${ALNUM}*)*`;
const ACRONYM = '[a-z](?:\\.[a-z])+\\.';
const APOSTROPHE = "['’]";
const WORD_END = '(?![\\p{L}\\p{M}\\p{Nd}-])';
const URL_PATH = '(?:\\/[^\\s"<>|()]+[^\\s"<>|.!?(){},-])?';

/**
 * What may be a token, in small or capital letters. The longest match wins, the first among equals; where there is a
 * group, the token is the group, and what follows it only counts for the length.
 */
const RULES: readonly RegExp[] = [
  // Two tokens written as one.
  `(can)not${WORD_END}|(gon)na${WORD_END}|(got)ta${WORD_END}|(lem)me${WORD_END}|(gim)me${WORD_END}|(wan)na${WORD_END}`,
  `(${APOSTROPHE}t)(?:is|was)${WORD_END}`,
  `([a-z]*[a-mo-z])n${APOSTROPHE}t(?![a-z])`,
  `n${APOSTROPHE}t(?![a-z])`,
  `${APOSTROPHE}(?:[smd]|re|ve|ll)(?![a-z])`,
  // Words, and words of several parts.
  WORD,
  `(?:[dol]${APOSTROPHE}(?=${ALNUM}{2}))?${ALNUM}+(?:[-‐‑](?:[dol]${APOSTROPHE}(?=${ALNUM}{2}))?${ALNUM}+)*`,
  `[a-z0-9][a-z0-9.,]*(?:-(?:${ACRONYM}|[a-z0-9]+))+`,
  '[a-z0-9]+(?:-[a-z]+){0,2}(?:\\/[a-z0-9]+(?:-[a-z]+){0,2}){1,2}',
  `${LETTER}+[aeiouy]${APOSTROPHE}[aeiou]${LETTER}*`,
  `[nc]${APOSTROPHE}${LETTER}{2,}`,
  `${APOSTROPHE}(?:em|till?|cause|n(?!${APOSTROPHE})|\\d\\ds?)${WORD_END}|${APOSTROPHE}n${APOSTROPHE}`,
  `(?:[ldjy]|ol|somethin|dunkin)${APOSTROPHE}`,
  '[a-z0-9]_[a-z0-9]|c\\+\\+|[cf]#',
  // Abbreviations with their periods.
  `${ACRONYM}|[a-z]\\.|(?:${ABBREVIATIONS})\\.`,
  `(?:${ABBREVIATIONS_BEFORE_NUMBERS})\\.(?=\\s?\\d)`,
  `(?:${WORD}|\\d+)\\.(?=[,;:])`,
  // Numbers, dates, telephones, fractions, money.
  '[-+]?(?:\\d*(?:[.:,]\\d+)+|\\d+)',
  '\\d{1,2}[-\\/]\\d{1,2}[-\\/]\\d{2,4}',
  '(?:\\(\\d{2,3}\\)[ \\xa0]?|(?:\\+\\+?)?(?:\\d{2,4}[- \\xa0])?\\d{2,4}[- \\xa0])\\d{3,4}[- \\xa0]?\\d{3,5}',
  '(?:\\d{1,4}[- \\xa0])?\\d{1,4}[\\/⁄]\\d{1,4}',
  '[a-z]*\\$',
  // Markup, addresses, names and topics of posts.
  '<(?:[!?][a-z-][^>\\n]*|\\/?[a-z][\\w:.-]*(?: +[a-z][\\w:.-]*(?: *= *(?:\'[^\'\\n]*\'|"[^"\\n]*"))?)* *\\/?)>',
  `https?:\\/\\/[^\\s"<>|(){}]+[^\\s"<>|.!?(){},-]`,
  `www\\.(?:[^\\s"<>|.!?(){},]+\\.)+[a-z]{2,4}${URL_PATH}`,
  `(?:[^\\s"\`'<>|.!?(){},\\-_$]+\\.)+(?:com|net|org|edu)${URL_PATH}`,
  '<?[a-z0-9][^\\s"<>|()\\xa0{}]*@(?:[^\\s"<>|(){}.]+\\.)*[^\\s"<>|(){}[\\].,;:]+>?',
  `[@＠][a-z_]\\w*|[#＃]${LETTER}${ALNUM}+`,
  // Signs.
  '[!?]{2,}|\\.(?: ?\\.){2,}|-{2,}|["\'`]{2}|#+|@+|\\*+|_+|<<|>>|&(?:amp|lt|gt|quot|apos);',
  `[<>]?[:;=][-o*']?[()dp\\\\@|[\\]]${WORD_END}`,
].map((source) => new RegExp(source, 'iuy'));
/** Abbreviations that are words when written small, A&M, names such as N'Djamena. */
const CAPITAL_RULES: readonly RegExp[] = [
  new RegExp(`([A-Za-z])\\.\\s(?:${SENTENCE_STARTS}|${SENTENCE_STARTS.toUpperCase()})\\s`, 'uy'),
  /(?:Miss|MISS|Az|AZ|Ark|ARK|Del|DEL|Ill|ILL|La|LA|Mass|MASS|Ore|ORE|Pa|PA|Tex|TEX|Wash|WASH)\./uy,
  /[\p{L}\p{M}]+[aeiouyAEIOUY]['’](?!(?:[SMD]|RE|VE|LL)(?![A-Za-z]))[A-Z][\p{L}\p{M}]*/uy,
  /[A-Z]+(?:(?:[+&]|&amp;)[A-Z]+)+/uy,
  /[A-HJ-XZ]['’][\p{L}\p{M}]{2,}/uy,
];
/** A plain word before a space or a comma, unless it may end in one of the two tokens written as one. */
const PLAIN_WORD = /(?!can|gon|got|lem|gim|wan)[a-z]+(?=[ ,])/iy;
const BLANK = /[\s\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\ufffd]+/uy;

const REWRITTEN: Readonly<Record<string, string>> = {
  ...{ '(': '-lrb-', ')': '-rrb-', '[': '-lsb-', ']': '-rsb-', '{': '-lcb-', '}': '-rcb-' },
  ...{ '£': '#', '€': '$', '¤': '$', '¢': 'cents', '½': '1/2', '¼': '1/4', '¾': '3/4', '⅓': '1/3', '⅔': '2/3' },
  ...{ '&amp;': '&', '&lt;': '<', '&gt;': '>' },
};
/** Tokens that the COCO scorers leave out (brackets are on their list too, but not in small letters, so they stay). */
const PUNCTUATION = /^(?:[.?!,:;…'"`“”‘’‚‛«»‹›–—―‒‐‑‽-]|-{2,4}|\.(?: ?\.){2,}|["'`]{2}|&(?:quot|apos);)$/u;

/** The token at a place of the text, and where the next one starts. */
function tokenAt(text: string, at: number): { token: string; next: number } {
  PLAIN_WORD.lastIndex = at;
  const plain = PLAIN_WORD.exec(text);
  if (plain !== null) return { token: plain[0], next: PLAIN_WORD.lastIndex };
  let longest = 0;
  let token = String.fromCodePoint(text.codePointAt(at)!);
  for (const rules of [RULES, CAPITAL_RULES]) {
    for (const rule of rules) {
      rule.lastIndex = at;
      const match = rule.exec(text);
      if (match === null || match[0].length <= longest) continue;
      longest = match[0].length;
      token = match.slice(1).find((group) => group !== undefined) ?? match[0];
    }
  }
  return { token, next: at + token.length };
}

/**
 * Tokens of a text as the COCO caption scorers see them, and with them the official E2E scorer's METEOR, ROUGE-L and
 * CIDEr: those of Stanford's PTBTokenizer 3.4.1 in small letters, without punctuation.
 *
 * Written from that tokenizer's behaviour, for English. On the 47,185 different texts of E2E (cleaned) and WebNLG 2.1 it
 * gives the same tokens for all but one. Not rebuilt: most smileys, rare abbreviations and names of files. A token may hold
 * a no-break space (the fraction "2 1/2").
 */
export function tokenizePtb(text: string): string[] {
  const clean = text.replace(/\n|&nbsp;/g, ' ').replace(/\xad/g, '');
  const tokens: string[] = [];
  for (let at = 0; at < clean.length;) {
    BLANK.lastIndex = at;
    if (BLANK.test(clean)) {
      at = BLANK.lastIndex;
      continue;
    }
    const { token, next } = tokenAt(clean, at);
    at = next;
    // The tokenizer drops characters outside the basic plane.
    if (PUNCTUATION.test(token) || /^[\u{10000}-\u{10ffff}]$/u.test(token)) continue;
    tokens.push(
      token
        .replace(/[()[\]{}£€¤¢½¼¾⅓⅔]|&(?:amp|lt|gt);/g, (sign) => REWRITTEN[sign]!)
        .replace(/^(n?)’/i, "$1'")
        .replace(/ /g, '\xa0')
        .toLowerCase(),
    );
  }
  return tokens;
}
