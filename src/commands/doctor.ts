import { Command } from '@commander-js/extra-typings';
import Table from 'cli-table3';
import { examine, type DoctorReport } from '../engines/doctor.js';
import { allowCpuOption, engineOption, threadsOption } from '../engines/options.js';

const EXAMPLES = `
Examples:
  $ mpt doctor                        what this machine has, which engine starts and why, and whether it computes rightly
  $ mpt doctor --engine node-gpu      the same for the GPU; exit code 1 when TensorFlow does not use it
  $ mpt doctor --json | jq .engine    for scripts`;

/** `mpt doctor`: examines machine and engine. Exit code 1 when no engine starts or one computes wrongly. */
export function doctorCommand() {
  return new Command('doctor')
    .description('report Node, engine, GPU, memory and caches, and let the engine compute')
    .addOption(engineOption())
    .addOption(allowCpuOption())
    .addOption(threadsOption())
    .option('--json', 'print the report as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options) => {
      const report = await examine({
        engine: options.engine,
        allow_cpu: options.allowCpu === true,
        threads: options.threads,
      });
      process.stdout.write(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : `${table(report)}\n`);
      if (!report.ok) process.exitCode = 1;
    });
}

const NO_INNER_LINES = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

function table(report: DoctorReport): string {
  const rows = new Table({
    chars: NO_INNER_LINES,
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [16, 100],
  });
  rows.push(...lines(report));
  return rows.toString();
}

/** Name and text per line of the table. */
export function lines(report: DoctorReport): [string, string][] {
  const { engine, gpu, check, memory, cache } = report;
  const gigabytes = (mb: number): string => `${(mb / 1000).toFixed(1)} GB`;
  const devices = gpu.devices.map(({ name, driver, memoryMb }) => `${name}, ${gigabytes(memoryMb)}, driver ${driver}`);
  const gpuText = gpu.visible ? devices.join('; ') || 'a driver shows, nvidia-smi lists nothing' : 'none visible';
  const started: [string, string][] =
    'error' in engine
      ? [['engine', `none: ${engine.error}${engine.hint === null ? '' : ` ${engine.hint}`}`]]
      : [
          ['engine', `${engine.name} on ${engine.device}: ${engine.reason}`],
          ['libtensorflow', engine.libtensorflow ?? 'not used'],
          ['threads', String(engine.threads)],
        ];
  return [
    ['Node', `${report.node.version} (N-API ${report.node.napi}), ${report.node.platform}-${report.node.arch}`],
    ['TensorFlow.js', `${report.tfjs.version}; native kernels: ${report.tfjs.native_package ?? 'not installed'}`],
    ['CPU', `${report.cpu.model}, ${report.cpu.available} available`],
    [
      'engines',
      [...report.engines.map(({ id, source }) => `${id} (${source})`), ...report.engine_faults].join('\n') ||
        'only WASM: mpt setup provides the native one',
    ],
    ...started,
    ['GPU', gpuText],
    ['CUDA', gpu.used_by_tensorflow ? 'TensorFlow computes on the GPU' : 'TensorFlow uses no GPU'],
    [
      'check',
      check.faults.length > 0
        ? `WRONG: ${check.faults.join('; ')}`
        : 'error' in engine
          ? 'not done'
          : `matMul and gradient right, ${check.matmul_gflops} GFLOP/s`,
    ],
    [
      'memory',
      `${gigabytes(memory.total_mb)} total, ${gigabytes(memory.free_mb)} free${memory.limit_mb === null ? '' : `, limited to ${gigabytes(memory.limit_mb)}`}`,
    ],
    [
      'cache',
      `${cache.folder}, ${gigabytes(cache.size_mb)}${cache.disk_free_mb === null ? '' : `; ${gigabytes(cache.disk_free_mb)} free on its disk`}`,
    ],
  ];
}
