import { Command, Option } from '@commander-js/extra-typings';
import { readHubConfig } from '../bench/hub-config.js';
import { benchStep, type StepReport } from '../bench/step.js';
import { engineOption, threadsOption } from '../engines/options.js';
import { startEngine } from '../engines/select.js';
import { log, print, printJson } from '../logging/console.js';
import { jobCommand } from './bench-job.js';
import { fromOne } from './stage-options.js';
import { plural } from '../util/format.js';

const EXAMPLES = `
Weights are random: only the shape of the config counts. bench/peft_step.py times the same in Hugging Face PEFT, and
bench/compare.mjs alternates the two.

Examples:
  $ mpt bench step --model-config t5-base/config.json
  $ mpt bench step --model-config bench/configs/t5-small.json --method distill --repeat 11 --json`;

/** `mpt bench`: how fast training runs on this machine. */
export function benchCommand() {
  return new Command('bench')
    .description('time training on random weights')
    .addCommand(stepCommand())
    .addCommand(jobCommand());
}

function stepCommand() {
  return new Command('step')
    .description('one training step and one forward pass of a T5')
    .requiredOption('--model-config <file>', "a hub config.json of a T5: the model's shape")
    .option('--batch <n>', 'rows', fromOne, 8)
    .option('--source-length <n>', 'tokens of each source', fromOne, 128)
    .option('--target-length <n>', 'tokens of each target', fromOne, 8)
    .option('--prompt-length <n>', 'vectors of the prompt', fromOne, 100)
    .addOption(
      new Option('--method <name>', 'what is trained: a prompt, its decomposition, or that with a teacher')
        .choices(['pt', 'mpt', 'distill'] as const)
        .default('mpt' as const),
    )
    .option('--repeat <n>', 'measured repetitions, after those that warm up', fromOne, 7)
    .option('--dropout', "with the config's dropout")
    .option('--gradient-checkpointing', 'recompute blocks in the backward pass')
    .option('--reference', 'the readable reference implementation instead of the explicit network')
    .addOption(engineOption())
    .addOption(threadsOption())
    .option('--json', 'print the numbers as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options) => {
      const { config, untied } = readHubConfig(options.modelConfig);
      const engine = await startEngine({ engine: options.engine, threads: options.threads });
      log(`${engine.name} on ${engine.device}, ${plural(engine.threads, 'thread')}`);
      const report = benchStep({
        config,
        untied,
        batch: options.batch,
        source_length: options.sourceLength,
        target_length: options.targetLength,
        prompt_length: options.promptLength,
        method: options.method,
        repeat: options.repeat,
        dropout: options.dropout === true,
        gradient_checkpointing: options.gradientCheckpointing === true,
        reference: options.reference === true,
      });
      if (options.json) printJson({ ...report, engine: engine.name, threads: engine.threads });
      else print(lines(report));
    });
}

function lines(report: StepReport): string {
  const rows: [string, string][] = [
    ['training step', `${report.step_ms} ms (${report.tokens_per_s} tokens/s)`],
    ['forward pass', `${report.forward_ms} ms`],
    ['arithmetic', `${report.gflops} GFLOP/s; a matMul alone ${report.matmul_gflops}`],
    ['kernels per step', String(report.kernels)],
    ['peak of tensors', `${report.peak_tensor_mb} MiB`],
    ['peak resident', `${report.peak_rss_mb} MiB`],
  ];
  return rows.map(([name, text]) => `${name.padEnd(18)}${text}`).join('\n');
}
