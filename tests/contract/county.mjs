/** A small county on disk and at work: grids, enough people to ask a thousand things a minute, incidents in every state. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';

const GRIDS = 4;
/** One person may change 60 things a minute: these people together never reach it. */
const PEOPLE_A_FACE = 40;
const CENTRE = { lat_deg: 28.5, lon_deg: 110.4 };
const SIDE_DEG = 0.1;

/** A PNG of two by two. */
const PHOTO = 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAADklEQVR4nGNoAAMGCAUAKg4GARWeQtcAAAAASUVORK5CYII=';

const faces = { officer: 'o', ops: 'p', ranger: 'r' };
const ids = (face) => Array.from({ length: PEOPLE_A_FACE }, (_, n) => `${faces[face]}${n}`);
const west = (grid) => CENTRE.lon_deg + (grid - GRIDS / 2) * SIDE_DEG;
const within = (grid) => ({ lat_deg: CENTRE.lat_deg, lon_deg: west(grid) + SIDE_DEG / 2 });

/** Writes the registers, as an office would import them. */
export function writeRegisters(data) {
  const folder = join(data, 'registers');
  mkdirSync(folder, { recursive: true });
  const features = Array.from({ length: GRIDS }, (_, grid) => {
    const [south, north, w, e] = [CENTRE.lat_deg - SIDE_DEG / 2, CENTRE.lat_deg + SIDE_DEG / 2, west(grid), west(grid) + SIDE_DEG];
    const ring = [[w, south], [e, south], [e, north], [w, north], [w, south]];
    const properties = { code: `g${grid}`, name: `${grid}号网格`, village: '大坪村', township: '官庄镇' };
    return { type: 'Feature', geometry: { type: 'Polygon', coordinates: [ring] }, properties };
  });
  writeFileSync(join(folder, 'grids.geojson'), JSON.stringify({ type: 'FeatureCollection', features }));
  const post = { officer: '县值班员', ops: '带班领导', ranger: '护林员A角' };
  const rows = Object.keys(faces).flatMap((face, kind) =>
    ids(face).map((id, n) => [id, `人${id}`, `139${kind}000${String(n).padStart(4, '0')}`, post[face], face === 'ranger' ? `g${n % GRIDS}` : '', '', ''].join(',')),
  );
  writeFileSync(join(folder, 'people.csv'), ['编号,姓名,电话,岗位,网格,村,乡镇', ...rows, ''].join('\n'));
  writeFileSync(join(folder, 'cameras.csv'), '编号,名称,经度,纬度,方位角,地址\nc1,1号塔,110.4,28.5,70,rtsp://127.0.0.1:9/1\n');
}

/** Cookies of everybody, by face. */
export async function logIn(origin, data) {
  const token = readFileSync(join(data, 'admin.token'), 'utf8').trim();
  const sessions = {};
  for (const face of Object.keys(faces)) {
    sessions[face] = [];
    for (const person of ids(face)) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': randomUUID() };
      const link = await fetch(`${origin}/api/v1/logins`, { method: 'POST', headers, body: JSON.stringify({ person, role: face }) });
      if (!link.ok) throw new Error(`no login for ${person}: ${await link.text()}`);
      const path = new URL((await link.json()).url).pathname;
      const entered = await fetch(origin + path, { method: 'POST', redirect: 'manual' });
      sessions[face].push(entered.headers.get('set-cookie').match(/huoyan_session=([^;]+)/)[1]);
    }
  }
  return sessions;
}

/** Fires told by phone, each as far along as the next; and what of them a request may name. */
export async function lightFires(origin, { officer: [officer], ranger: rangers }) {
  const post = async (session, path, body) => {
    const headers = { cookie: `huoyan_session=${session}`, 'content-type': 'application/json', 'idempotency-key': randomUUID() };
    const answer = await fetch(`${origin}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const happened_at = new Date().toISOString();
  const steps = [
    (path) => post(officer, `${path}/dispatch`, { ranger: 'r0' }),
    (path) => post(rangers[0], `${path}/acknowledge`, { happened_at }),
    (path) => post(rangers[0], `${path}/arrive`, { happened_at, position: { at: within(0), accuracy_m: 12, measured_at: happened_at } }),
    (path) => post(rangers[0], `${path}/report`, { happened_at, category: 3, words: '烧田埂', no_photo_reason: '手机没电' }),
    (path) => post(officer, `${path}/close`, {}),
  ];
  const photo = async (session, path) => {
    const headers = { cookie: `huoyan_session=${session}`, 'content-type': 'image/png', 'idempotency-key': randomUUID() };
    const answer = await fetch(`${origin}/api/v1${path}`, { method: 'POST', headers, body: Buffer.from(PHOTO, 'base64') });
    return (await answer.json()).picture;
  };
  const known = { incidents: [], pictures: [], sightings: [], photo: PHOTO, at: within(1), rangers: ['r0', 'r1', 'r2', 'r3'], cameras: ['c1'] };
  for (let far = 0; far <= steps.length; far += 1) {
    const grid = far % GRIDS;
    const at = { ...within(grid), lat_deg: CENTRE.lat_deg + (far < GRIDS ? -0.03 : 0.03) };
    let incident = await post(officer, '/incidents', { at, radius_m: 100, who: '12119', words: '看到浓烟' });
    for (const step of steps.slice(0, far)) incident = (await step(`/incidents/${incident.id}`)) ?? incident;
    known.incidents.push(incident.id);
    known.pictures.push(await photo(officer, `/incidents/${incident.id}/photos`));
    known.sightings.push(...incident.sightings.map(({ id }) => id));
  }
  return known;
}
