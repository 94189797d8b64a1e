/** The program under test: started on a fresh data folder and a free port, always ended. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Rendering the demo's clips at the first start (half a minute on two idle cores), database, model, cameras. */
const START_MS = 240_000;
const STOP_MS = 5000;
const LINES_KEPT = 40;

/** Starts `run --demo`, or `run` on a folder that `prepare` fills, and reads the one-time links from its first line. */
export async function start(binary, { prepare, env } = {}) {
  const data = mkdtempSync(join(tmpdir(), 'huoyan-e2e-'));
  prepare?.(data);
  const args = ['run', prepare ? '--links' : '--demo', '--json', '--data', data, '--listen', '127.0.0.1:0'];
  const child = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  let before;
  createInterface({ input: child.stderr }).on('line', (line) => {
    // A page that polls makes the program say one thing many times; what led up to a failure must not be pushed out by it.
    const words = line.replace(/^\S+\s/, '');
    if (words === before) return;
    before = words;
    said.push(line);
    if (said.length > LINES_KEPT) said.shift();
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
    }
    rmSync(data, { recursive: true, force: true });
  };
  const tail = () => said.join('\n');
  try {
    const links = await firstLine(child, ended, tail);
    const drill = (camera) => spawn(binary, ['drill', '--camera', camera, '--data', data, '--server', new URL(links.office).origin, '--json'], { stdio: 'ignore' });
    return { links, data, startedAt: Date.now(), drill, stop, tail };
  } catch (error) {
    await stop();
    throw error;
  }
}

function firstLine(child, ended, tail) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the program printed no links within ${START_MS / 1000} s\n${tail()}`)), START_MS);
    child.once('error', (error) => reject(new Error(`the program does not start: ${error.message}`)));
    void ended.then((code) => reject(new Error(`the program ended with ${code} before printing its links\n${tail()}`)));
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer);
      try {
        const links = JSON.parse(line);
        for (const face of ['office', 'ranger', 'ops']) if (!links[face]) throw new Error(`no link for ${face}`);
        resolve(links);
      } catch (error) {
        reject(new Error(`the first line is not the links object (${error.message}): ${line}`));
      }
    });
  });
}
