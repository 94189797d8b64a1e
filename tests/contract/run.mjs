/**
 * Whether the program answers as /openapi.json says, asked by Schemathesis in a small county, as officers, ops and rangers.
 *
 *   HUOYAN_BIN=target/debug/huoyan node tests/contract/run.mjs
 *
 * Exits 0 when it does, 1 with the requests that show otherwise. CASES is the number of generated requests an operation
 * (default 15), SEED where they begin.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { start } from '../e2e/program.mjs';
import { lightFires, logIn, writeRegisters } from './county.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const TOOLS = join(HERE, '../../.huoyan/contract');
const GATEWAY_KEY = 'the-key-of-the-gateway';
const { CASES = '15', SEED = '131' } = process.env;
const CHECKS = ['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_headers_conformance', 'response_schema_conformance', 'allow_header_conformance', 'negative_data_rejection'];
/** A stream does not end, and a browser that logs out is a stranger from then on: tests/it asks these two. */
const LEFT_OUT = ['/api/v1/stream', '/api/v1/logout'];

/** Where nearly all is refused, the contract is not tried: the least number of operations, and of changes among them, that answer a generated request well. */
const WORKED_MIN = 18;
const CHANGED_MIN = 8;

const binary = process.env.HUOYAN_BIN;
if (!binary) {
  console.error('HUOYAN_BIN is not set: give the path of the huoyan program, for example target/debug/huoyan');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'huoyan-contract-'));
let program;
try {
  program = await start(binary, { prepare: writeRegisters, env: { HUOYAN_INBOUND_KEY: GATEWAY_KEY } });
  const origin = new URL(program.links.office).origin;
  const sessions = await logIn(origin, program.data);
  const known = await lightFires(origin, sessions);
  const county = join(folder, 'county.json');
  writeFileSync(county, JSON.stringify({ sessions, known, gateway: GATEWAY_KEY }));
  const before = await answeredWell(origin);
  process.exitCode = await ask(origin, county);
  const worked = [...(await answeredWell(origin))].filter(([name, times]) => times > (before.get(name) ?? 0)).map(([name]) => name);
  const changed = worked.filter((name) => !name.startsWith('GET '));
  console.error(`${worked.length} operations were seen to work, ${changed.length} of them changes`);
  if (worked.length < WORKED_MIN || changed.length < CHANGED_MIN)
    throw new Error(`at least ${WORKED_MIN} and ${CHANGED_MIN} should have been: requests do not reach what they ask for`);
} catch (error) {
  console.error(`FAILED ${error.message}`);
  if (program) console.error(`the program's last words:\n${program.tail()}`);
  process.exitCode = 1;
} finally {
  await program?.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** How often each operation answered with 2xx, by the program's own count. */
async function answeredWell(origin) {
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  const counts = metrics.matchAll(/^huoyan_http_requests_total\{method="(\w+)",route="(\/api\/[^"]+)",status="2\d\d"\} (\d+)/gm);
  const times = new Map();
  for (const [, method, route, count] of counts) times.set(`${method} ${route}`, (times.get(`${method} ${route}`) ?? 0) + Number(count));
  return times;
}

function ask(origin, county) {
  // One worker: before 3.12, Python's parser counts its depth for all threads together, and the generator of requests parses.
  const args = ['-m', 'schemathesis.cli', 'run', `${origin}/openapi.json`, '--checks', CHECKS.join(','), '--phases', 'examples,coverage,fuzzing'];
  args.push('--max-examples', CASES, '--seed', SEED, '--no-shrink', '--continue-on-failure', '--request-timeout', '30', '--warnings', 'off');
  for (const path of LEFT_OUT) args.push('--exclude-path', path);
  const env = { ...process.env, PYTHONPATH: `${TOOLS}:${HERE}`, PYTHONDONTWRITEBYTECODE: '1', SCHEMATHESIS_HOOKS: 'as_people_ask', HUOYAN_CONTRACT_COUNTY: county };
  // In a folder of its own: it keeps a store of examples beside itself.
  const child = spawn('python3', args, { cwd: folder, env, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
