import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { encodeSafetensors } from '../checkpoints/safetensors.js';
import { engineOption, threadsOption } from '../engines/options.js';
import { inspectForward } from '../inspect/forward.js';
import { inspectGenerate } from '../inspect/generate.js';
import { checkLengths, DEFAULT_LOSSES, inspectLosses, type InspectedLosses } from '../inspect/losses.js';
import { choosePrompt, prepare, promptOf, withModel, withPrompt, withPromptOrNone } from '../inspect/inputs.js';
import { writeOutput } from '../inspect/output.js';
import { print, printJson, warn } from '../logging/console.js';
import { loadTokenizer } from '../tokenizer/tokenizer.js';
import { UserError } from '../util/errors.js';
import { fromOne } from './stage-options.js';

const BATCH = `
batch.json holds nested lists, padded to one length:
  {"input_ids": [[…], …], "attention_mask": [[1, …, 0], …], "labels": [[…, -100], …]}
A prompt is a safetensors file with "prompt" [P, D], a prompt.safetensors of mpt, or a checkpoint folder of mpt.`;

const FORWARD_HELP = `${BATCH}

The output is a safetensors file: logits [B, T, V], encoder_hidden [L+1, B, P+S, D], decoder_hidden [L+1, B, T, D] (as
transformers' output_hidden_states: embeddings first, the last one after the final norm), loss [] (mean over labels
other than -100) and, with --gradient, prompt_gradient [P, D]. All in float32, without dropout.

Examples:
  $ mpt inspect forward --model ./t5-small --prompt prompt.safetensors --input batch.json --output out.safetensors
  $ mpt inspect forward --model bundled --prompt runs/…/checkpoints/best --task wn_living --gradient \\
      --input batch.json --output out.safetensors --json`;

const LOSSES_HELP = `${BATCH}

Prints loss_ce, loss_logits and loss_hidden as in the columns of train.csv, and loss = loss_ce + lambda (loss_logits +
loss_hidden). Defaults are those of the config's distill section.

Examples:
  $ mpt inspect losses --model ./t5-small --teacher teacher.safetensors --student student.safetensors \\
      --input batch.json --temperature 2
  $ mpt inspect losses --model bundled --teacher runs/…/sst2/…/best --student runs/…/sources/…/best --task sst2 \\
      --input batch.json --hidden-layers all --json`;

const GENERATE_HELP = `${BATCH}

Labels are not needed. Every row of "sequences" begins with the decoder's start token (0) and is filled with 0 behind its
end (1) to the longest, as transformers' generate does; "texts" is there when the model's folder has a tokenizer.

Examples:
  $ mpt inspect generate --model bundled --prompt prompt.safetensors --input batch.json --json
  $ mpt inspect generate --model ./t5-small --input batch.json --num-beams 4 --max-new-tokens 32 --output ids.json`;

/** `mpt inspect`: what the model computes on given token ids, for comparing with another framework. */
export function inspectCommand() {
  const inspect = new Command('inspect').description('compute on given token ids, to compare with other frameworks');
  for (const command of [forwardCommand(), lossesCommand(), generateCommand()]) inspect.addCommand(command);
  return inspect;
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('A number is right.');
  return value;
}

function positive(text: string): number {
  const value = number(text);
  if (value <= 0) throw new InvalidArgumentError('A number above 0 is right.');
  return value;
}

function notNegative(text: string): number {
  const value = number(text);
  if (value < 0) throw new InvalidArgumentError('A number from 0 on is right.');
  return value;
}

const modelOption = () =>
  new Option(
    '-m, --model <model>',
    '"bundled", a T5 of the Hugging Face hub, or a folder with one',
  ).makeOptionMandatory();
const inputOption = () => new Option('--input <file>', 'the batch: a JSON file of nested lists').makeOptionMandatory();
const promptOption = () => new Option('--prompt <file>', 'prompt or checkpoint folder (default: no prompt, P = 0)');
const taskOption = () =>
  new Option('--task <name>', 'which prompt, where a file holds several: the name of its task, or its number from 0');

function forwardCommand() {
  return new Command('forward')
    .description('logits, hidden states, loss and gradient of the prompt')
    .addOption(modelOption())
    .addOption(promptOption())
    .addOption(taskOption())
    .addOption(inputOption())
    .requiredOption('--output <file>', 'the safetensors file to write')
    .option('--gradient', 'also the gradient of the loss by the prompt')
    .addOption(engineOption())
    .addOption(threadsOption())
    .option('--json', 'print loss and shapes as JSON')
    .addHelpText('after', FORWARD_HELP)
    .action(async (options) => {
      if (options.gradient === true && options.prompt === undefined) {
        throw new UserError(
          '--gradient needs --prompt FILE: without a prompt there is nothing to take the gradient by.',
        );
      }
      const { folder, config, batch } = await prepare(options, true);
      const chosen = promptOf(options, config);
      const tensors = await withModel(folder, options, (model) =>
        withPromptOrNone(chosen, (prompt) =>
          inspectForward(model, batch, prompt, { gradient: options.gradient === true }),
        ),
      );
      const loss = tensors['loss']!.data[0]!;
      warnUnlessFinite(loss);
      writeOutput(options.output, encodeSafetensors(tensors, { format: 'pt' }));
      const shapes = Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));
      if (options.json === true) printJson({ loss, shapes, output: options.output });
      else {
        const lines = Object.entries(shapes).map(([name, shape]) => `${name.padEnd(16)}[${shape.join(', ')}]`);
        print([`loss ${loss}`, ...lines, `written to ${options.output}`].join('\n'));
      }
    });
}

function lossesCommand() {
  const { temperature, hidden_layers, lambda } = DEFAULT_LOSSES;
  return new Command('losses')
    .description('the distillation losses of two prompts')
    .addOption(modelOption())
    .addOption(inputOption())
    .requiredOption('--teacher <file>', "the teacher's prompt or checkpoint folder")
    .requiredOption('--student <file>', "the student's prompt or checkpoint folder")
    .addOption(taskOption())
    .option('--temperature <t>', 'softens both output distributions', positive, temperature)
    .option('--t-squared', 'multiply loss_logits by temperature²')
    .addOption(
      new Option('--hidden-layers <which>', 'hidden states that are compared')
        .choices(['last', 'all'] as const)
        .default(hidden_layers),
    )
    .option('--no-hidden-encoder', "leave the encoder's hidden states out")
    .option('--no-hidden-decoder', "leave the decoder's hidden states out")
    .option('--no-hidden-prompt-positions', "compare the encoder at the tokens only, not at the prompt's positions")
    .option('--lambda <weight>', 'of loss_logits and loss_hidden in loss', notNegative, lambda)
    .option('--output <file>', 'a JSON file to write them to')
    .addOption(engineOption())
    .addOption(threadsOption())
    .option('--json', 'print them as JSON')
    .addHelpText('after', LOSSES_HELP)
    .action(async (options) => {
      const { folder, config, batch } = await prepare(options, true);
      // A teacher of one task needs no choosing, whatever it is called.
      const choose = (file: string) => choosePrompt(file, config, options.task, { onlyAmongSeveral: true });
      const [teacher, student] = [choose(options.teacher), choose(options.student)];
      const settings = {
        ...DEFAULT_LOSSES,
        temperature: options.temperature,
        t_squared: options.tSquared === true,
        hidden_layers: options.hiddenLayers,
        hidden_encoder: options.hiddenEncoder,
        hidden_decoder: options.hiddenDecoder,
        hidden_prompt_positions: options.hiddenPromptPositions,
        lambda: options.lambda,
      };
      checkLengths(teacher.stored.length, student.stored.length, settings);
      const losses = await withModel(folder, options, (model) =>
        withPrompt(teacher, (t) => withPrompt(student, (s) => inspectLosses(model, batch, t, s, settings))),
      );
      warnUnlessFinite(losses.loss);
      if (options.output !== undefined) writeOutput(options.output, `${JSON.stringify(losses, null, 2)}\n`);
      if (options.json === true) printJson(losses);
      else print(lossLines(losses));
    });
}

function lossLines(losses: InspectedLosses): string {
  return Object.entries(losses)
    .map(([name, value]) => `${name.padEnd(12)}${value}`)
    .join('\n');
}

function generateCommand() {
  return new Command('generate')
    .description('token ids of greedy or beam decoding')
    .addOption(modelOption())
    .addOption(promptOption())
    .addOption(taskOption())
    .addOption(inputOption())
    .option('--num-beams <n>', '1 is greedy decoding', fromOne, 1)
    .option('--max-new-tokens <n>', 'longest output, EOS counted', fromOne, 20)
    .option('--length-penalty <x>', 'beam search divides scores by length^x', number, 1)
    .option('--early-stopping', 'beam search stops when as many rows as beams have ended')
    .option('--output <file>', 'a JSON file to write them to')
    .addOption(engineOption())
    .addOption(threadsOption())
    .option('--json', 'print them as JSON')
    .addHelpText('after', GENERATE_HELP)
    .action(async (options) => {
      const { folder, config, batch } = await prepare(options, false);
      const chosen = promptOf(options, config);
      const hasTokenizer = ['spiece.model', 'tokenizer.json'].some((name) => existsSync(join(folder, name)));
      const tokenizer = hasTokenizer ? loadTokenizer(folder) : null;
      const sequences = await withModel(folder, options, (model) =>
        withPromptOrNone(chosen, (prompt) =>
          inspectGenerate(model, batch, prompt, {
            num_beams: options.numBeams,
            max_new_tokens: options.maxNewTokens,
            length_penalty: options.lengthPenalty,
            early_stopping: options.earlyStopping === true,
          }),
        ),
      );
      const texts = tokenizer === null ? null : sequences.map((row) => tokenizer.decode(row));
      const result = { sequences, ...(texts !== null && { texts }) };
      if (options.output !== undefined) writeOutput(options.output, `${JSON.stringify(result)}\n`);
      if (options.json === true) printJson(result);
      else print(sequences.map((row, i) => `${row.join(' ')}${texts === null ? '' : `\t${texts[i]}`}`).join('\n'));
    });
}

function warnUnlessFinite(loss: number): void {
  if (!Number.isFinite(loss)) warn(`the loss is ${loss}: weights or prompt may hold values that are not finite`);
}
