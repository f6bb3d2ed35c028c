import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { statfs } from 'node:fs/promises';
import { LIBRARY_PATH, type Variant } from '../layout.js';
import { nativePackageFolder } from '../native.js';
import { compileAddon, missingForBuild } from './addon.js';
import { runProgram } from './process.js';
import type { Attempt, AttemptContext } from './attempt.js';
import { PYTHON_TAGS, TENSORFLOW_ABSEIL, TENSORFLOW_VERSION, wheelSet } from './wheel-pins.js';

const DOWNLOAD_MS = 60 * 60_000;
const UNPACK_MS = 15 * 60_000;

/**
 * Takes the libraries and the C headers out of wheels (argv: target folder, wheels), streaming, so that memory does
 * not grow with the file. `zipfile` verifies each member's checksum.
 */
const UNPACK = `
import os, shutil, sys, zipfile
target = sys.argv[1]
headers = ('tensorflow/include/tensorflow/c/', 'tensorflow/include/tensorflow/core/platform/',
           'tensorflow/include/tsl/', 'tensorflow/include/xla/tsl/c/')
def place(name):
    if name in ('tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2'):
        return 'deps/lib/' + os.path.basename(name)
    if name.startswith(headers) and name.endswith('.h'):
        return 'headers/' + name[len('tensorflow/include/'):]
    if name.startswith('nvidia/') and ('/lib/' in name or '/nvvm/libdevice/' in name or name.endswith('/bin/ptxas')):
        return 'deps/' + name
for wheel in sys.argv[2:]:
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            path = place(info.filename)
            if path is None or info.is_dir() or '..' in info.filename.split('/'):
                continue
            path = os.path.join(target, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with archive.open(info) as source, open(path, 'wb') as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
            if path.endswith('/bin/ptxas'):
                os.chmod(path, 0o755)
    os.remove(wheel)
`;

/**
 * Makes an engine from the libtensorflow inside a TensorFlow wheel and the addon's sources inside the npm package.
 * pip downloads (so the user's own index, proxy and cache settings hold) and verifies the pinned sha256 hashes.
 *
 * With CUDA, the nvidia-* libraries are laid out as deps/nvidia/<name>/lib, where libtensorflow's own run path
 * ($ORIGIN/../nvidia/…) looks; native.ts also opens them before the addon. Downloaded, built and loaded on a machine
 * without a GPU (there it computes on the CPU); not verified on one with a GPU.
 */
export async function buildFromWheel(variant: Variant, context: AttemptContext): Promise<Attempt> {
  const wheels = wheelSet(variant);
  if (typeof wheels === 'string') return { fault: wheels };
  const packageFolder = nativePackageFolder();
  if (packageFolder === null) return { fault: "the npm package with the addon's sources is not installed" };
  const missing = await missingForBuild(context.signal);
  const pip = await runProgram('python3', ['-m', 'pip', '--version'], { timeoutMs: 30_000, signal: context.signal });
  if (pip.code !== 0) missing.unshift(pip.fault.endsWith('not found') ? 'python3 with pip' : 'pip for python3');
  if (missing.length > 0) return { fault: `missing: ${missing.join(', ')}` };
  const disk = await statfs(context.staging);
  if (disk.bavail * disk.bsize < wheels.diskBytes) {
    const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
    return {
      fault: `${gigabytes(wheels.diskBytes)} GB are needed in ${context.staging}, ${gigabytes(disk.bavail * disk.bsize)} GB are free`,
    };
  }

  const downloads = join(context.staging, 'wheels');
  const temporary = join(context.staging, 'tmp');
  mkdirSync(downloads);
  mkdirSync(temporary);
  const requirements = join(context.staging, 'requirements.txt');
  writeFileSync(requirements, `${wheels.requirements.join('\n')}\n`);
  context.log(`downloading TensorFlow ${TENSORFLOW_VERSION} (${(wheels.downloadBytes / 1e6).toFixed(0)} MB) with pip`);
  const progress = setInterval(() => {
    const megabytes = ((folderBytes(downloads) + folderBytes(temporary)) / 1e6).toFixed(0);
    context.log(`  ${megabytes} MB so far`);
  }, context.progressMs);
  try {
    const args = [
      ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-input'],
      ...['--no-deps', '--only-binary=:all:', '--require-hashes', '--timeout', '20', '--retries', '2'],
      ...PYTHON_TAGS,
      ...wheels.platforms.flatMap((platform) => ['--platform', platform]),
      ...['--dest', downloads, '--requirement', requirements],
    ];
    // Partial files go to TMPDIR: inside the staging folder they vanish with it.
    const options = { timeoutMs: DOWNLOAD_MS, signal: context.signal, env: { TMPDIR: temporary } };
    const download = await runProgram('python3', args, options);
    if (download.code !== 0) return { fault: `pip could not download it: ${download.fault}` };
  } finally {
    clearInterval(progress);
  }

  context.log('unpacking');
  const files = readdirSync(downloads).map((name) => join(downloads, name));
  const unpack = await runProgram('python3', ['-', context.staging, ...files], {
    timeoutMs: UNPACK_MS,
    signal: context.signal,
    input: UNPACK,
  });
  if (unpack.code !== 0) return { fault: `the wheel does not unpack: ${unpack.fault}` };
  const library = join(context.staging, LIBRARY_PATH);
  if (!existsSync(join(library, 'libtensorflow_cc.so.2'))) return { fault: 'the wheel holds no libtensorflow_cc.so.2' };
  // The names that the linker looks for.
  symlinkSync('libtensorflow_cc.so.2', join(library, 'libtensorflow.so'));
  symlinkSync('libtensorflow_framework.so.2', join(library, 'libtensorflow_framework.so'));

  context.log('compiling the addon');
  const includeFolder = join(context.staging, 'headers');
  await compileAddon(
    { packageFolder, includeFolder, engineFolder: context.staging, abseil: TENSORFLOW_ABSEIL },
    context.signal,
  );
  for (const leftover of [downloads, temporary, includeFolder, requirements])
    rmSync(leftover, { recursive: true, force: true });
  return { source: 'tensorflow-wheel', preload: nvidiaFolders(context.staging) };
}

/** The lib folders of the unpacked nvidia-* packages, relative to the engine. */
function nvidiaFolders(engineFolder: string): string[] {
  const root = join(engineFolder, 'deps', 'nvidia');
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .map((name) => join('deps', 'nvidia', name, 'lib'))
    .filter((folder) => existsSync(join(engineFolder, folder)));
}

function folderBytes(folder: string): number {
  let total = 0;
  try {
    for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const stat = statSync(join(folder, entry), { throwIfNoEntry: false });
      if (stat?.isFile() === true) total += stat.size;
    }
  } catch {
    // pip moves files about while they are counted.
  }
  return total;
}
