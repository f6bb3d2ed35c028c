import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

const signals = new URL('./signals.js', import.meta.url).href;

async function start(body: string): Promise<ChildProcess & { output: string }> {
  const script = `import { watchSignals, stopRequested, onStop, EXIT_CODES } from ${JSON.stringify(signals)};
    watchSignals(); watchSignals(); const timer = setInterval(() => {}, 1000); ${body}; process.stdout.write('ready ');`;
  const child = Object.assign(
    spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] }),
    { output: '' },
  );
  child.stdout.on('data', (data: Buffer) => (child.output += data.toString()));
  while (!child.output.includes('ready')) await once(child.stdout, 'data');
  return child;
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}

for (const [signal, code] of [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal}: the first asks to stop and calls back`, async () => {
    const child = await start(`onStop((signal) => {
      onStop((again) => process.stdout.write('late ' + again + ' '));
      process.stdout.write('saving ' + stopRequested()); clearInterval(timer); process.exitCode = EXIT_CODES[signal]; })`);
    child.kill(signal);
    assert.equal(await exitCode(child), code);
    assert.equal(child.output, `ready late ${signal} saving ${signal}`);
  });

  if (signal === 'SIGHUP') continue;
  test(`${signal}: a second one exits at once with ${code}`, async () => {
    const child = await start(`onStop(() => process.stdout.write('stopping '))`);
    child.kill('SIGINT');
    while (!child.output.includes('stopping')) await once(child.stdout!, 'data');
    child.kill(signal);
    assert.equal(await exitCode(child), code);
  });
}

for (const first of ['SIGHUP', 'SIGTERM'] as const) {
  test(`${first}, then SIGHUP: the terminal that closes does not cut the saving short`, async () => {
    const child = await start(`onStop((signal) => {
      process.on('SIGHUP', () => { process.stdout.write('saved'); clearInterval(timer); process.exitCode = EXIT_CODES[signal]; });
      process.stdout.write('stopping '); })`);
    child.kill(first);
    while (!child.output.includes('stopping')) await once(child.stdout!, 'data');
    child.kill('SIGHUP');
    assert.equal(await exitCode(child), first === 'SIGHUP' ? 129 : 143);
    assert.equal(child.output, 'ready stopping saved');
  });
}
