/** Control characters, those that turn the direction of text, and line separators, but not the line feed. */
const UNSEEN = /(?!\n)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Text with what a terminal would obey shown as escapes (\u001b), fit for a message. */
export function escapeControls(text: string): string {
  return text.replace(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The text, or where it is longer than `most` characters, its beginning and "…". */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…`; // half a character shows as none
}
