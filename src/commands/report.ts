import { existsSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { log, print } from '../logging/console.js';
import type { CellId } from '../reports/collect-progress.js';
import { collectReport, specOf } from '../reports/collect-report.js';
import { tablesCsv } from '../reports/formats/csv.js';
import { reportLatex } from '../reports/formats/latex.js';
import { reportMarkdown } from '../reports/formats/markdown.js';
import { reportText, stdoutOptions } from '../reports/formats/terminal.js';
import { renderReport } from '../reports/html.js';
import { readReportFile } from '../reports/spec-file.js';
import type { ReportSpec } from '../reports/spec.js';
import type { Report } from '../reports/types.js';
import { experimentsIn, listRuns, type RunListing } from '../runs/status.js';
import { writeFileAtomic } from '../util/atomic-write.js';
import { suggestion, UserError } from '../util/errors.js';
import { FORMS, formOfFile, type Form } from './report-form.js';

const EXAMPLES = `
What an experiment has come to: rows are methods, columns are tasks, mean ± standard deviation over seeds or draws, and
where the paper has a number for the same model, method and task, the difference to it. Runs may still be under way or
have failed: cells say so.

Examples:
  $ mpt report                                   tables here, and runs/<experiment>/report.html with figures
  $ mpt report runs/demo --format markdown       tables only, on stdout
  $ mpt report configs/paper/table1.yaml         as the \`report:\` section of a run file says
  $ mpt report runs/demo -o table.tex                 the form by the ending of the file`;

const WRITTEN: Readonly<Record<Form, (report: Report) => string>> = {
  terminal: (report) => `${reportText(report, { color: false })}\n`,
  markdown: reportMarkdown,
  csv: ({ tables }) => tablesCsv(tables),
  latex: reportLatex,
  html: renderReport,
};

interface Subject {
  experiment: string;
  /** Where report.html goes. */
  folder: string;
  runs: RunListing[];
  spec: ReportSpec;
  planned: CellId[];
}

/** As short as may be. */
function shown(path: string): string {
  const short = relative(process.cwd(), resolve(path));
  return short !== '' && short.length < path.length ? short : path;
}

/** The experiment of a folder of runs. @throws UserError where there are none, or of several experiments */
function fromFolder(folder: string): Subject {
  const runs = listRuns(folder);
  const names = [...new Set(runs.flatMap(({ record }) => record?.run.experiment ?? []))];
  if (runs.length === 0) {
    throw new UserError(`There are no runs in ${shown(folder)}.`, { hint: 'A run is a folder with a run.json.' });
  }
  if (names.length > 1) {
    const list = experimentsIn(folder).map((name) => `  mpt report ${shown(join(folder, name))}`);
    throw new UserError(`${shown(folder)} holds the runs of ${names.length} experiments: ${names.join(', ')}.`, {
      hint: ['Say which:', ...list].join('\n'),
    });
  }
  return { experiment: names[0] ?? shown(folder), folder, runs, spec: specOf(), planned: [] };
}

function fromFile(file: string, out: string | undefined): Subject {
  const read = readReportFile(file);
  const folder = join(out ?? read.out, read.experiment);
  const runs = listRuns(folder);
  if (runs.length === 0) {
    throw new UserError(
      `Nothing of experiment "${read.experiment}" was run yet: there are no runs in ${shown(folder)}.`,
      {
        hint: read.hasSteps
          ? `mpt run ${file} does, or --out says where the results are.`
          : `It names no steps; --out says where the results are.`,
      },
    );
  }
  return { ...read, folder, runs };
}

/** What the argument means: a run file, a folder of runs, the name of an experiment; without it the only experiment. */
function subjectOf(what: string | undefined, out: string | undefined): Subject {
  const root = out ?? 'runs';
  if (what === undefined) {
    const [first, ...others] = experimentsIn(root);
    if (first !== undefined && others.length === 0) return fromFolder(join(root, first));
    if (first !== undefined) return fromFolder(root);
    throw new UserError(`There are no runs in ${shown(root)}.`, {
      hint: 'mpt demo makes some, or --out says where the results are.',
    });
  }
  if (existsSync(what)) return statSync(what).isDirectory() ? fromFolder(what) : fromFile(what, out);
  if (/\.ya?ml$/.test(what)) return fromFile(what, out);
  if (existsSync(join(root, what))) return fromFolder(join(root, what));
  throw new UserError(`There is no run file, folder or experiment "${what}".`, {
    hint: suggestion(what, experimentsIn(root)),
  });
}

/** `mpt report`: tables and figures of an experiment. */
export function reportCommand() {
  return new Command('report')
    .description('tables and figures of an experiment, beside the published numbers')
    .argument('[what]', 'a run file, or the folder or name of an experiment (default: the only one there is)')
    .addOption(new Option('-f, --format <format>', 'one form only').choices(FORMS))
    .option(
      '-o, --output <file>',
      'file to write; its ending says the form: .html, .md, .csv, .tex, .txt (default: tables on stdout, the page beside the runs)',
    )
    .option('--out <dir>', 'folder of all results (default: what the run file says, else runs)')
    .addHelpText('after', EXAMPLES)
    .action((what, options) => {
      const { output, format } = options;
      const form = output === undefined ? format : formOfFile(output, format);
      const subject = subjectOf(what, options.out);
      const report = collectReport(subject.runs, subject);
      if (format === undefined && (form === undefined || form === 'html')) {
        const page = output ?? join(subject.folder, 'report.html');
        writeFileAtomic(page, renderReport(report));
        print(reportText(report, stdoutOptions()));
        log(`\nreport: ${page}  (open it in a browser)`);
      } else if (output === undefined) {
        print(form === 'terminal' ? reportText(report, stdoutOptions()) : WRITTEN[form!](report));
      } else {
        writeFileAtomic(output, WRITTEN[form!](report));
        log(`written: ${output}`);
      }
    });
}
