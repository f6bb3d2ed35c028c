import { existsSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { UserError } from '../util/errors.js';

export const FORMS = ['terminal', 'markdown', 'csv', 'latex', 'html'] as const;
export type Form = (typeof FORMS)[number];

/** Which forms a file of this ending may hold; the first is meant where --format does not say. */
const ENDINGS: Readonly<Record<string, readonly Form[]>> = {
  '.html': ['html'],
  '.htm': ['html'],
  '.md': ['markdown'],
  '.markdown': ['markdown'],
  '.csv': ['csv'],
  '.tex': ['latex'],
  '.txt': ['terminal', 'markdown', 'csv', 'latex'],
};

/** The ending to suggest for a form. */
const ENDING_OF: Readonly<Record<Form, string>> = {
  terminal: '.txt',
  markdown: '.md',
  csv: '.csv',
  latex: '.tex',
  html: '.html',
};

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

/**
 * The form of a report that goes to a file: what --format says, else what the ending means. An ending that means nothing
 * may stand with --format.
 * @throws UserError for a folder, an ending that means nothing without --format, or one that means another form
 */
export function formOfFile(output: string, format: Form | undefined): Form {
  const ending = extname(output).toLowerCase();
  const meant = ENDINGS[ending];
  if (/[/\\]$/.test(output) || isFolder(output)) {
    const example = join(output, `report${ENDING_OF[format ?? 'html']}`);
    throw new UserError(`Cannot write ${output}: it is a folder.`, {
      hint: `--output names a file, for instance ${example}.`,
    });
  }
  if (format !== undefined) {
    if (meant === undefined || meant.includes(format)) return format;
    const renamed = output.slice(0, output.length - ending.length) + ENDING_OF[format];
    throw new UserError(
      `--format ${format} and --output ${output} contradict each other: ${ending} means ${meant[0]}.`,
      {
        hint: `Right would be --output ${renamed}, or --format ${meant[0]}.`,
      },
    );
  }
  if (meant !== undefined) return meant[0]!;
  const known = FORMS.map((form) => `${ENDING_OF[form]} (${form})`).join(', ');
  throw new UserError(`The ending of --output ${output} does not say what to write.`, {
    hint: `Right would be ${known}, or --format with any ending.`,
  });
}
