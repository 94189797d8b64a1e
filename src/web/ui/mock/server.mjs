#!/usr/bin/env node
/**
 * A stand-in for the program while working on the pages: the contract of ../openapi.json over invented data, in memory.
 * `npm run build && npm run mock`, then http://127.0.0.1:8132/office. With `--demo` the county starts quiet, one plume
 * appears after some seconds, and the sign-in links are printed as the program does: good for trying the browser tests.
 */
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { forRanger, owner, people as found, sorting, waiting } from './case.mjs';
import { shift, signShift } from './shift.mjs';
import { cameras, categories, dispatch, grids, hotspots, id, incidents, people, phoned, picture, inForce } from './data.mjs';
import { ops } from './ops.mjs';
import { registers } from './registers.mjs';

const dist = join(dirname(fileURLToPath(import.meta.url)), '../dist');
const demo = process.argv.includes('--demo');
const port = demo ? 0 : Number(process.env.PORT ?? 8132);
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.webmanifest': 'application/manifest+json', '.png': 'image/png' };
const csp = "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'";

const iso = (at = Date.now()) => new Date(at).toISOString();
const all = new Map((demo ? [] : incidents(Date.now())).map((it) => [it.id, it]));
const uploads = new Map();
const answered = new Map();
const listeners = new Set();
let cursor = 0;

function announce(name, data) {
  cursor++;
  for (const res of listeners) res.write(`id: ${cursor}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}
setInterval(() => listeners.forEach((res) => res.write(': alive\n\n')), 5000).unref();

const open = () => [...all.values()].filter((it) => it.state !== 'closed');
const brief = ({ log, messages, ...rest }) => ({ ...rest, sightings_count: rest.sightings.length, owner: owner(rest, Date.now()) });
const step = (body, means) => ({ received_at: iso(), happened_at: body.happened_at ?? null, means: { means, ...(body.reason ? { reason: body.reason } : {}) }, late: false, position: body.position ?? null, distance_m: null, unproven: null });

function opened(from) {
  const it = { ...from, id: id(20 + all.size), code: `1121-${20 + all.size}`, state: 'needs_review', version: 1, dispatch: null, past_dispatches: [], links: [], merged: [], log: [], messages: [] };
  all.set(it.id, it);
  return it;
}

const actions = {
  ...sorting(all, opened),
  dispatch: (it, body) => {
    if (it.dispatch) it.past_dispatches.push(it.dispatch);
    it.dispatch = dispatch(Number(it.version), people[body.ranger], Date.now());
    Object.assign(it, { state: 'dispatched', intent: null, waiting: [], because: [{ code: 'officer', value: '' }] });
    return { type: 'dispatched', ranger: body.ranger };
  },
  'false-alarm': (it, body) => close(it, { category: 9, false_alarm: body.reason, words: body.words ?? '' }),
  acknowledge: (it, body) => {
    const near = body.happened_at && it.dispatch.neighbours.find(({ ranger }) => ranger.id === 'zhou');
    // The first of those asked who answers goes.
    if (near && near.go && !it.dispatch.acknowledged) {
      it.past_dispatches.push(it.dispatch);
      Object.assign(it, { dispatch: { ...it.dispatch, id: id(790), ranger: people.zhou, neighbours: [], missed: [] }, because: [{ code: 'took_over', value: it.dispatch.ranger.id }] });
    } else if (near) {
      it.answers.push({ person: people.zhou, role: 'ranger', at: iso(), means: { means: 'phone' } });
      return { type: 'answered', person: 'zhou', role: 'ranger', means: { means: 'phone' } };
    }
    it.dispatch.acknowledged = step(body, body.happened_at ? 'phone' : 'proxy');
    it.state = 'acknowledged';
    return { type: 'acknowledged' };
  },
  decline: (it, body) => {
    it.dispatch.declined = body.reason;
    it.state = 'needs_review';
    return { type: 'declined', reason: body.reason };
  },
  support: (_it, body) => ({ type: 'support_asked', reason: body.reason }),
  arrive: (it, body) => {
    it.dispatch.acknowledged ??= step(body, 'implied');
    if (!body.position) {
      it.dispatch.claimed = { ...step(body, 'phone'), unproven: 'no_position' };
      it.state = 'acknowledged';
      return { type: 'arrived', distance_m: null, unproven: 'no_position' };
    }
    it.dispatch.arrived = { ...step(body, 'phone'), distance_m: 120 };
    it.state = 'arrived';
    return { type: 'arrived', distance_m: 120 };
  },
  report: (it, body) => {
    it.dispatch.reported = step(body, 'phone');
    Object.assign(it, { state: 'reported', waiting: waiting({ ...it, state: 'reported' }, Date.now()) });
    const { category, flames = null, area_mu = null, extinguished = null, words = '', no_photo_reason = null } = body;
    it.verification = { category, flames, area_mu, extinguished, words, no_photo_reason, photos: [] };
    return { type: 'reported', verification: it.verification };
  },
  'send-back': (it, body) => {
    it.dispatch.reported = null;
    it.state = 'arrived';
    return { type: 'sent_back', reason: body.reason };
  },
  close: (it, body) => close(it, { category: body.category ?? it.verification.category, false_alarm: null, words: body.words ?? '' }),
  note: (_, body) => ({ type: 'noted', words: body.words }),
};

function close(it, closure) {
  Object.assign(it, { state: 'closed', closure, closed_at: iso() });
  return { type: 'closed', closure };
}

function send(res, status, body, type = 'application/json') {
  res.writeHead(status, { 'Content-Type': type, 'Content-Security-Policy': csp });
  res.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}
const problem = (res, status, code, detail) => send(res, status, { type: 'about:blank', title: code, status, code, detail }, 'application/problem+json');

async function read(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return Buffer.concat(parts);
}

function board() {
  return {
    now: iso(), cursor: String(cursor), county: { name: '沅溪县', centre: { lat_deg: 28.46, lon_deg: 110.42 }, bounds: [{ lat_deg: 28.27, lon_deg: 110.19 }, { lat_deg: 28.66, lon_deg: 110.66 }], grids: grids() },
    townships: [], in_force: inForce(), shift: shift(), incidents: open().map(brief), cameras: cameras(), duty: { officer: { id: 'officer', name: '吴敏', role: 'county_duty', phone: null, distance_m: null }, leader: { id: 'leader', name: '陈立新', role: 'county_leader', phone: '13900000009', distance_m: null } },
    zero_point: 'dispatched', categories, unattended: demo ? ['satellite'] : ['satellite', 'camera'],
    passed_on: demo ? [] : [{ incident: id(31), code: '1121-31', place: '辰溪县境', at: iso(Date.now() - 5_400_000), centre: { lat_deg: 28.25, lon_deg: 110.3 }, county: '辰溪县', phone: '0745-5232119', sightings: 2 }],
    reminded: demo ? [] : [{ incident: id(32), code: '1121-32', place: '老街村', category: 3, sightings: 2, last_seen_at: iso(Date.now() - 900_000) }],
    unreadable: [],
    health: demo ? [] : [{ part: 'model', ok: true, words: '' }, { part: 'cameras', ok: false, words: '没有画面：cam-4, cam-5' }, { part: 'hotspots', ok: false, words: '3 小时没有新的卫星数据' }, { part: 'channels', ok: false, words: '没有任何通知网关，派发和呼叫都要人工电话；请设置 [notify] sms_url 或 voice_url' }],
  };
}

/** Pictures every ten seconds around a sighting, with smoke from shortly before it on. */
function strip(res, it, url) {
  const [sighting, , picked] = url.pathname.split('/').slice(6);
  if (picked) return send(res, 200, picture(url.searchParams.get('show') === 'region'), 'image/svg+xml');
  const seen = it.sightings.find(({ id }) => id === sighting);
  if (!seen || seen.source.kind !== 'camera') return problem(res, 404, 'not_found', '没有这条线索');
  const frames = Array.from({ length: 24 }, (_, n) => ({
    picture: n === 16 ? seen.pictures[0] : id(7000 + n), captured_at: iso(Date.parse(seen.observed_at) + (n - 16) * 10_000), stream: 'screened', is_evidence: n === 16,
    score: n < 14 ? null : 0.5 + n / 100, bbox: n < 14 ? null : seen.source.bbox,
  }));
  send(res, 200, { frames, camera: seen.source.camera, others: [] });
}

function api(req, res, url, body) {
  const [, , , kind, key, action] = url.pathname.split('/');
  const me = { person: 'zhou', name: '周建国', role: 'ranger', county: '沅溪县', lang: 'zh', now: iso() };
  if (kind === 'me') return send(res, 200, me);
  if (kind === 'board') return send(res, 200, board());
  if (kind === 'hotspots') return send(res, 200, { items: hotspots(Date.now()), count: hotspots(Date.now()).length });
  if (kind === 'ranger') return send(res, 200, { me, now: iso(), duty_phone: '0745-4222119', categories, arrival: { radius_m: 500, age_max_s: 120 }, incidents: [...all.values()].flatMap((it) => { const mine = forRanger(it, 'zhou'); return mine ? [{ ...brief(it), ...mine }] : []; }) });
  if (kind === 'shift') return send(res, 200, signShift(key, JSON.parse(body.toString()), open()));
  if (kind === 'people') return send(res, 200, found(people, open(), all.get(url.searchParams.get('incident')), url.searchParams.get('q') ?? ''));
  if (kind === 'pictures') return uploads.has(key) ? send(res, 200, uploads.get(key), 'image/jpeg') : send(res, 200, picture(url.searchParams.has('crop')), 'image/svg+xml');
  if (kind === 'cameras') return send(res, 200, picture(false), 'image/svg+xml');
  if (kind === 'registers' || kind === 'register-changes' || kind === 'rota-gaps') return registers(kind, key, action, req.method, url, body, (status, answer) => send(res, status, answer));
  if (kind === 'ops') return ops(req.method, key, url, body, (status, answer) => send(res, status, answer), cameras());
  if (kind === 'stream') {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    res.write(': hello\n\n');
    listeners.add(res);
    return req.on('close', () => listeners.delete(res));
  }
  if (kind === 'incidents' && !key && req.method === 'POST') return reported(req, res, JSON.parse(body.toString()));
  const it = kind === 'incidents' ? all.get(key) : undefined;
  if (!it) return problem(res, 404, 'not_found', '没有这起警情');
  if (action === 'sightings') return strip(res, it, url);
  if (req.method === 'GET') return send(res, 200, it);
  const repeat = answered.get(req.headers['idempotency-key']);
  if (repeat) return send(res, 200, repeat);
  let answer = it;
  it.version++;
  if (action === 'photos') {
    const name = id(6500 + uploads.size);
    uploads.set(name, body);
    it.verification?.photos.push(name);
    answer = { picture: name };
  } else {
    if (!actions[action]) return problem(res, 404, 'not_found', action);
    const event = actions[action](it, JSON.parse(body.toString()));
    it.log.push({ version: it.log.length + 1, at: iso(), actor: { kind: 'officer', person: 'officer' }, name: '吴敏', happened_at: null, event });
  }
  answered.set(req.headers['idempotency-key'], answer);
  announce('changed', { incident: it.id });
  return send(res, 200, answer);
}

/** The office's own report. A place close to an open incident is the same fire. */
function reported(req, res, told) {
  const repeat = answered.get(req.headers['idempotency-key']);
  if (repeat) return send(res, 200, repeat);
  if (!(told.radius_m >= 50 && told.radius_m <= 20_000)) return problem(res, 400, 'invalid', '半径应在50米至20公里之间。');
  if (!told.who?.trim()) return problem(res, 400, 'invalid', '请填写报告人。');
  const fresh = phoned(20 + all.size, told);
  const near = open().find(({ fix: { centre } }) => Math.hypot(centre.lat_deg - told.at.lat_deg, centre.lon_deg - told.at.lon_deg) < 0.005);
  if (near) near.sightings.push(...fresh.sightings);
  const it = near ?? fresh;
  it.version++;
  all.set(it.id, it);
  answered.set(req.headers['idempotency-key'], brief(it));
  announce('changed', { incident: it.id });
  return send(res, 200, brief(it));
}

function login(req, res, url) {
  const face = url.pathname.split('/')[2];
  if (req.method === 'POST') return res.writeHead(303, { Location: `/${face}` }).end();
  return send(res, 200, '<!doctype html><html lang="zh-CN"><title>Login</title><form method="post"><button id="login">Login</button></form></html>', types['.html']);
}

function plume() {
  const it = incidents(Date.now())[1];
  all.set(it.id, it);
  announce('changed', { incident: it.id });
}

function started() {
  const root = `http://127.0.0.1:${this.address().port}`;
  if (!demo) return console.log(`${root}/office /wall /ranger /ops /registers`);
  console.log(JSON.stringify(Object.fromEntries(['office', 'ranger', 'ops'].map((face) => [face, `${root}/login/${face}`]))));
  setTimeout(plume, 4000);
}

createServer(async (req, res) => {
  const url = new URL(req.url, `http://${req.headers.host}`);
  try {
    if (url.pathname.startsWith('/api/v1/')) return api(req, res, url, await read(req));
    if (url.pathname.startsWith('/login/')) return login(req, res, url);
    const path = normalize(/^\/(office|wall|ranger|ops|registers)$/.test(url.pathname) ? `${url.pathname}.html` : url.pathname);
    const file = join(dist, path);
    if (!file.startsWith(dist) || !existsSync(file) || !extname(file)) return send(res, 404, 'not found', 'text/plain');
    res.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': csp });
    createReadStream(file).pipe(res);
  } catch (error) {
    problem(res, 500, 'internal', String(error));
  }
}).listen(port, '127.0.0.1', started);
