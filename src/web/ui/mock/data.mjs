import { candidate, owner, quiet, spread, waiting } from './case.mjs';

/** One invented county with an incident in every state. Places and people are made up. */
const MIN = 60_000;
const iso = (at) => new Date(at).toISOString();
const ll = (lat_deg, lon_deg) => ({ lat_deg, lon_deg });
export const id = (n) => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;

export const categories = [
  [0, '森林火灾', 'Forest fire', true, true], [1, '草原火', 'Grassland fire', true], [5, '灌木火', 'Shrub fire', true],
  [11, '荒火', 'Waste-land fire', true, true], [3, '农事用火', 'Farm burning', true, true], [2, '计划烧除', 'Prescribed burn', true, true],
  [4, '炼山', 'Slash burn', true], [6, '工矿用火', 'Industrial', true, true], [9, '未找到', 'Nothing found', false, true],
  [7, '其他', 'Other', false, true], [8, '境外火', 'Outside', true, false, true], [10, '核查中', 'Still checking', false, false, false, true],
].map(([code, zh, en, fire = false, first_page = false, officer_only = false, interim = false]) => ({ code, zh, en, fire, first_page, officer_only, interim }));

export const people = {
  zhou: { id: 'zhou', name: '周建国', role: 'ranger', phone: '13900000001', distance_m: 2100 },
  li: { id: 'li', name: '李春生', role: 'ranger', phone: '13900000002', distance_m: 3400 },
  xiang: { id: 'xiang', name: '向大明', role: 'backup_ranger', phone: '13900000003', distance_m: 5200 },
  tian: { id: 'tian', name: '田茂林', role: 'ranger', phone: '13900000004', distance_m: 7300 },
  peng: { id: 'peng', name: '彭秀英', role: 'township_duty', phone: '13900000005', distance_m: null },
};

const camera = (cid, name, lat, lon, azimuth_deg, health, extra = {}) => ({
  id: cid, name, at: ll(lat, lon), azimuth_deg, field_of_view_deg: 60, range_m: 9000, health,
  health_since: iso(Date.now() - 47 * MIN), detail: null, last_frame_at: iso(Date.now() - 6000), learning_until: null,
  last_scores: health === 'ok' ? { smoke: 0.08, fire: 0.01 } : null, slots_met: health === 'ok' ? 8631 : 12, slots_missed: health === 'ok' ? 3 : 40, main_fetched: 2, alarms_today: 0, main_detail: null, url: 'rtsp://10.0.0.8/stream2', main_url: 'rtsp://10.0.0.8/stream1', ...extra,
});

export const cameras = () => [
  camera('cam-1', '云盘岭1号塔', 28.52, 110.28, 70, 'ok', { last_scores: { smoke: 0.71, fire: 0.12 }, alarms_today: 2 }),
  camera('cam-2', '鹿角界2号塔', 28.46, 110.52, 290, 'ok', { last_scores: { smoke: 0.22, fire: 0.02 }, alarms_today: 1 }),
  camera('cam-3', '大坪村3号塔', 28.36, 110.36, 20, 'ok'),
  camera('cam-4', '石板滩4号塔', 28.6, 110.46, 200, 'frozen', { detail: '画面 47 分钟没有变化' }),
  camera('cam-5', '青龙坳5号塔', 28.33, 110.56, 330, 'offline', { detail: '连接被拒绝', last_frame_at: iso(Date.now() - 90 * MIN) }),
];

const sector = (apex, azimuth_deg, near_m = 200, far_m = 9000, half_width_deg = 2) => ({ shape: 'sector', apex, azimuth_deg, half_width_deg, near_m, far_m, range: 'unknown' });
const seen = (n, cid, apex, azimuth, at, confidence, klass = 'smoke', pictures = 2) => ({
  id: id(900 + n), observed_at: iso(at), confidence, drill: false, labels: [], locus: sector(apex, azimuth),
  pictures: Array.from({ length: pictures }, (_, i) => id(5000 + n * 10 + i)),
  source: { kind: 'camera', camera: cid, pose: 'default', class: klass, bbox: [0.55, 0.3, 0.14, 0.22], model: { name: 'smoke', version: '1.0.0' }, thresholds_version: 3 },
});
const hot = (n, at, place) => ({
  id: id(900 + n), observed_at: iso(at), confidence: 0.6, drill: false, labels: [], pictures: [], locus: { shape: 'pixel', centre: place, scan_m: 420, track_m: 380 },
  source: { kind: 'satellite', hotspot_key: `h${n}`, satellite: 'NOAA-20', instrument: 'VIIRS', frp_mw: 12.4, pixels: 3 },
});

const step = (at, means = 'phone', late = false, happened = at) => ({ received_at: iso(at), happened_at: iso(happened), means: { means }, late, position: { at: ll(28.44, 110.41), accuracy_m: 14, measured_at: iso(happened) }, distance_m: null, unproven: null });
export function dispatch(n, ranger, zero, steps = {}) {
  return {
    id: id(700 + n), ranger, dispatched_at: iso(zero), zero_at: iso(zero), acknowledge_by: iso(zero + 10 * MIN), arrive_by: iso(zero + 30 * MIN), report_by: iso(zero + 60 * MIN),
    acknowledged: null, arrived: null, reported: null, declined: null, missed: [], grid: null, claimed: null, neighbours: [], ...steps,
  };
}

const GRIDS = ['WG-12', 'WG-22', 'WG-32', 'WG-33'];
const place = (n, name, extra = {}) => ({
  name, grid: GRIDS[n % 4], village: name.slice(0, 3), township: '官庄镇', unique: false, labels: [], neighbour: null,
  candidates: [candidate(GRIDS[n % 4], `${name} 1号网格`, 0.62, people.zhou, people.xiang), candidate(GRIDS[(n + 1) % 4], '凉水井镇 3号网格', 0.24, people.li), candidate(GRIDS[(n + 2) % 4], '鹿角界 2号网格', 0.08, people.tian)],
  ...extra,
});

export function incidents(now) {
  const finish = (it) => ({ ...it, owner: owner(it, now), waiting: it.waiting.length > 0 ? it.waiting : waiting(it, now) });
  const sent = [{ code: 'officer', value: '' }, { code: 'grid_likeliest', value: '大坪村后山 1号网格 62%' }];
  const look = [{ code: 'officer_first', value: 'camera' }];
  const told = { neighbours: [{ grid: 'WG-32', ranger: people.li, go: false }] };
  const base = (n, name, state, centre, age, extra) => finish({
    id: id(n), code: `1121-0${n}`, version: 3, state, drill: false, opened_at: iso(now - age), first_seen_at: iso(now - age - 20_000), last_seen_at: iso(now - 30_000),
    fix: { centre, radius_m: 4400, method: 'bearing', spread: extra.sightings?.[0]?.locus.shape === 'sector' ? spread(extra.sightings[0].locus) : null },
    place: place(n, name), suggested: [people.zhou, people.li, people.xiang], sightings: [], ...quiet(),
    priority: { score: 62, reasons: [{ code: 'camera_confidence', points: 41, value: '0.82' }, { code: 'second_source', points: 21, value: '鹿角界2号塔' }] },
    review_by: null, review_missed: false, dispatch: null, past_dispatches: [], verification: null, closure: null, closed_at: null, ...extra,
    log: [
      { at: iso(now - age), actor: { kind: 'system' }, name: null, happened_at: null, event: { type: 'opened' } },
      ...(extra.dispatch ? [{ at: extra.dispatch.dispatched_at, actor: { kind: 'officer', person: 'officer' }, name: '吴敏', happened_at: null, event: { type: 'dispatched', ranger: extra.dispatch.ranger.id } }] : []),
      ...(extra.dispatch?.missed.length ? [{ at: extra.dispatch.acknowledge_by, actor: { kind: 'system' }, name: null, happened_at: null, event: { type: 'deadline_missed', stage: 'acknowledged' } }, { at: extra.dispatch.acknowledge_by, actor: { kind: 'system' }, name: null, happened_at: null, event: { type: 'escalated', tell: ['village_chief', 'township_duty'], channel: 'sms' } }] : []),
    ].map((entry, n) => ({ version: n + 1, ...entry })),
    messages: extra.dispatch ? [
      { id: id(8000 + n), created_at: extra.dispatch.dispatched_at, to: '139****0001', role: 'ranger', channel: 'sms', status: 'sent', attempts: 1, words: '疑似火情', error: null, sent_at: extra.dispatch.dispatched_at },
      { id: id(8100 + n), created_at: extra.dispatch.dispatched_at, to: '139****0001', role: 'ranger', channel: 'voice', status: 'failed', attempts: 3, words: '', error: '无人接听', sent_at: null },
    ] : [],
  });
  const [c1, c2] = [ll(28.52, 110.28), ll(28.46, 110.52)];
  return [
    base(1, '大坪村后山', 'dispatched', ll(28.541, 110.342), 13 * MIN, { fix: { centre: ll(28.541, 110.342), radius_m: 140, method: 'triangulated', spread: { shape: 'ellipse', along_m: 140, across_m: 90, azimuth_deg: 80 } }, because: sent, undelivered: [{ message: id(8101), name: '周建国', role: 'ranger', phone: '13900000001', channel: 'voice', why: '无人接听', at: iso(now - 4 * MIN), next: { role: 'village_chief', person: null, channel: 'voice' } }], answers: [{ person: { ...people.peng, name: '彭秀英' }, role: 'township_duty', at: iso(now - 2 * MIN), means: { means: 'key_press' } }], sightings: [seen(1, 'cam-1', c1, 69, now - 13 * MIN, 0.82), seen(2, 'cam-2', c2, 297, now - 11 * MIN, 0.64)], dispatch: dispatch(1, people.zhou, now - 12.3 * MIN, { missed: ['acknowledged'], ...told }) }),
    base(2, '岩屋冲', 'needs_review', ll(28.44, 110.41), 0.6 * MIN, { because: look, links: [id(1)], review_by: iso(now + 1.4 * MIN), sightings: [seen(3, 'cam-2', c2, 258, now - 0.6 * MIN, 0.71)] }),
    base(3, '砖厂东侧', 'needs_review', ll(28.4, 110.44), 4 * MIN, { because: [{ code: 'known_heat_source', value: '官庄砖厂' }, { code: 'digest', value: 'camera' }], review_by: iso(now + 40 * MIN), priority: { score: 28, reasons: [{ code: 'camera_confidence', points: 33, value: '0.55' }, { code: 'known_heat_source', points: -5, value: '官庄砖厂' }] }, sightings: [seen(4, 'cam-3', ll(28.36, 110.36), 58, now - 4 * MIN, 0.55)], place: place(3, '砖厂东侧', { village: '老街村', labels: [{ label: 'known_heat_source', name: '官庄砖厂' }, { label: 'border', neighbours: ['凉水井镇'] }] }) }),
    base(4, '白岩溪', 'dispatched', ll(28.49, 110.45), 4 * MIN, { because: [{ code: 'auto', value: 'satellite' }, { code: 'grid_likeliest', value: '白岩溪 1号网格 62%' }], merged: [id(8)], place: place(4, '白岩溪', { neighbour: { name: '辰溪县', phone: '0745-5232119' } }), fix: { centre: ll(28.49, 110.45), radius_m: 375, method: 'satellite' }, sightings: [hot(5, now - 22 * MIN, ll(28.49, 110.45))], dispatch: dispatch(4, people.li, now - 3.2 * MIN, { neighbours: [{ grid: 'WG-12', ranger: people.zhou, go: true }] }) }),
    base(5, '金竹垭', 'acknowledged', ll(28.38, 110.47), 19 * MIN, { because: sent, fix: { centre: ll(28.38, 110.47), radius_m: 260, method: 'triangulated' }, waiting: [{ matter: 'relocation', since: iso(now - MIN), due_at: iso(now + 2 * MIN), rounds: 0 }], proposal: { fix: { centre: ll(28.352, 110.5), radius_m: 120, method: 'triangulated' }, place: place(6, '青龙坳') }, past_dispatches: [dispatch(15, people.li, now - 40 * MIN, { missed: ['acknowledged'] })], sightings: [seen(6, 'cam-3', ll(28.36, 110.36), 75, now - 19 * MIN, 0.77, 'fire')], dispatch: dispatch(5, people.xiang, now - 18 * MIN, { acknowledged: step(now - 12 * MIN), claimed: { ...step(now - 5 * MIN), distance_m: 1900, unproven: 'far' }, ...told }) }),
    base(6, '黄泥坳', 'reported', ll(28.57, 110.43), 51 * MIN, { sightings: [seen(7, 'cam-1', c1, 66, now - 52 * MIN, 0.68)], dispatch: dispatch(6, people.li, now - 50 * MIN, { acknowledged: step(now - 44 * MIN), arrived: step(now - 25 * MIN, 'phone', false, now - 29 * MIN), reported: step(now - 14 * MIN) }), verification: { category: 3, flames: 'small', area_mu: 0.4, extinguished: true, words: '村民烧田坎，已当场扑灭并教育', photos: [id(6001)], no_photo_reason: null } }),
    base(7, '云盘岭西坡', 'arrived', ll(28.45, 110.3), 26 * MIN, { drill: true, sightings: [{ ...seen(8, 'cam-1', c1, 170, now - 26 * MIN, 0.9), drill: true }], dispatch: dispatch(7, people.zhou, now - 25 * MIN, { acknowledged: step(now - 23 * MIN), arrived: { ...step(now - 8 * MIN), distance_m: 0 } }) }),
    base(8, '白岩溪上游', 'needs_review', ll(28.5, 110.46), 3 * MIN, { merged_into: id(4), fix: { centre: ll(28.52, 110.28), radius_m: 9000, method: 'unaimed' }, sightings: [{ ...seen(9, 'cam-1', c1, 95, now - 3 * MIN, 0.6), locus: { shape: 'unaimed', apex: c1, far_m: 9000 }, labels: [{ label: 'no_bearing', camera: 'cam-1' }] }] }),
  ];
}

/** What the server makes of a report by phone. */
export function phoned(n, { at, radius_m, who, words }, now = Date.now()) {
  const sighting = { id: id(900 + n), observed_at: iso(now), confidence: 1, drill: false, labels: [], pictures: [], locus: { shape: 'disc', centre: at, radius_m }, source: { kind: 'person', who, words } };
  return {
    ...incidents(now)[1], id: id(n), code: `1121-${String(n).padStart(2, '0')}`, opened_at: iso(now), first_seen_at: iso(now), last_seen_at: iso(now), review_by: iso(now + 2 * MIN),
    fix: { centre: at, radius_m, method: 'reported' }, sightings: [sighting], links: [], because: [{ code: 'officer_first', value: 'person' }], place: place(8, '官庄村', { unique: true }),
    priority: { score: 40, reasons: [{ code: 'person', points: 40, value: who }] },
  };
}

/** Eight by six cells with crooked edges, so that it looks like land and not like a chessboard. */
export function grids() {
  const names = ['官庄', '凉水井', '大坪', '白岩', '鹿角', '青龙', '石板', '云盘'];
  const at = (i, j) => [110.2 + i * 0.055 + 0.012 * Math.sin(j * 2.1 + i), 28.28 + j * 0.06 + 0.012 * Math.cos(i * 1.7 + j)];
  const features = [];
  for (let i = 0; i < 8; i++)
    for (let j = 0; j < 6; j++)
      features.push({ type: 'Feature', properties: { code: `WG-${i}${j}`, name: `${names[i]}${j + 1}` }, geometry: { type: 'Polygon', coordinates: [[at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1), at(i, j)]] } });
  return { type: 'FeatureCollection', features };
}

export const hotspots = (now) => [
  { key: 'h5', at: ll(28.49, 110.45), acquired_at: iso(now - 22 * MIN), satellite: 'NOAA-20', instrument: 'VIIRS', confidence: 'nominal', frp_mw: 12.4, scan_km: 0.42, track_km: 0.38, incident: id(4) },
  { key: 'h6', at: ll(28.32, 110.32), acquired_at: iso(now - 22 * MIN), satellite: 'NOAA-20', instrument: 'VIIRS', confidence: 'low', frp_mw: 2.1, scan_km: 0.42, track_km: 0.38, incident: null },
];

/** A hill with smoke, drawn as SVG: enough for layout work, no binary in the repository. */
export function picture(crop) {
  const view = crop ? '640 150 230 160' : '0 0 1280 720';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="720" viewBox="${view}"><defs><linearGradient id="s" x2="0" y2="1"><stop stop-color="#9db8cc"/><stop offset="1" stop-color="#e3e6e0"/></linearGradient><filter id="b"><feGaussianBlur stdDeviation="14"/></filter></defs><rect width="1280" height="720" fill="url(#s)"/><path d="M0 330 160 270 330 320 520 220 760 330 930 260 1280 350V720H0z" fill="#8fa39a"/><g filter="url(#b)" fill="#eceff0" opacity=".92"><ellipse cx="770" cy="340" rx="24" ry="40"/><ellipse cx="790" cy="285" rx="42" ry="40"/><ellipse cx="826" cy="236" rx="60" ry="34"/></g><path d="M0 450 220 360 420 420 640 350 860 400 1080 350 1280 420V720H0z" fill="#5d7760"/><path d="M0 600 300 480 640 560 960 470 1280 560V720H0z" fill="#3c5540"/></svg>`;
}

/** A dry week: the county's level and signal, and a ban in one township. */
export function inForce() {
  const notice = { areas: [], issuer: '县森防指', from: iso(Date.now() - 30 * 60 * MIN), until: iso(Date.now() + 40 * 60 * MIN), why: '连续晴热' };
  return { danger: [{ ...notice, level: 4 }], signals: [{ ...notice, colour: 'orange' }], bans: [{ ...notice, areas: ['官庄镇'], name: '冬季禁火令' }] };
}
