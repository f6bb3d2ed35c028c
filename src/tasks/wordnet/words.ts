export function countWords(text: string): number {
  return text === '' ? 0 : text.split(' ').length;
}

/** The word and its regular inflections (plural, past, -ing, comparative); irregular forms are not found. */
export function regularForms(word: string): string[] {
  const forms = [word, `${word}s`, `${word}es`, `${word}ed`, `${word}d`, `${word}ing`];
  if (word.endsWith('e')) forms.push(`${word.slice(0, -1)}ing`);
  if (/[^aeiou]y$/.test(word)) forms.push(`${word.slice(0, -1)}ies`, `${word.slice(0, -1)}ied`);
  if (/[aeiou][bdgklmnprt]$/.test(word)) forms.push(`${word}${word.at(-1)!}ed`, `${word}${word.at(-1)!}ing`);
  return forms;
}

/** Lower-cased words of a text, where words are runs of letters, hyphens and apostrophes. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z][a-z'-]*/g) ?? [];
}

/** A lower-case single word of letters, such as may be an answer or fill a gap. */
export function isPlainWord(lemma: string): boolean {
  return /^[a-z]{2,}$/.test(lemma);
}

/** Does the sentence hold the word in its own or a regularly inflected form? */
export function mentions(sentence: string, word: string): boolean {
  const words = new Set(wordsOf(sentence));
  return regularForms(word).some((form) => words.has(form));
}
