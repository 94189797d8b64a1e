/** The ops part of the mock: scores that wander, a what-if that answers plausibly. */
const hour = 3_600_000;
let current = { version: 3, smoke: 0.55, fire: 0.5, smoke_tile: 0.6, fire_tile: 0.55, evidence: 3.4, memory: 'PT2M', hysteresis: 0.8, cooldown: 'PT10M', area_min: 0.0002, area_max: 0.4 };
const history = [
  { thresholds: { ...current, version: 2, smoke: 0.5 }, by: '彭工', at: new Date(Date.now() - 70 * hour).toISOString(), reason: '雨季雾多，试运行', counted_frames: true },
  { thresholds: current, by: '彭工', at: new Date(Date.now() - 20 * hour).toISOString(), reason: '减少晨雾误报', counted_frames: false },
];

const point = (smoke, fire, evidence, alarms, recall, minutes) => {
  const figure = (value, lower, upper) => ({ value, lower, upper });
  return { smoke, fire, smoke_tile: smoke + 0.05, fire_tile: fire + 0.05, evidence, expected: { false_alarms_per_camera_day: figure(alarms, alarms / 3, alarms * 4), event_recall: figure(recall, recall - 0.14, 1), minutes_to_alarm: figure(minutes, 0, 2 * minutes) } };
};
const points = { default: 'balanced', quiet: point(0.713, 0.9, 4.5, 0.08, 0.78, 3.5), balanced: point(0.55, 0.5, 3.4, 0.4, 0.86, 2), eager: point(0.42, 0.4, 2.2, 2.1, 0.95, 1) };

const sizes = (found) => [0.01, 0.02, 0.04, 0.08, 0.16].map((width, i) => ({ width, places: 3, found: found[i] }));
const tests = [{ camera: 'cam-1', asked_at: null, last: { at: new Date(Date.now() - 2 * hour).toISOString(), pose: 'default', whole: { threshold: 0.55, smallest: 0.04, sizes: sizes([0, 1, 2, 3, 3]) }, tile: { threshold: 0.6, smallest: 0.02, sizes: sizes([1, 2, 3, 3, 3]) } } }];

const eye = {
  screening: { views: 48210, passed: 3127, audits: 902, misses_sampled: 1 },
  model: { name: 'smoke', version: '1.0.0' },
  licence: { name: 'non-commercial', note: '权重仅供非商业试用' },
  capacity: { cpu_flags: ['avx2', 'fma'], look_ms: 92, workers: 2, cadence_s: 10, holds: 142, holds_with_tiles: 78 },
  registered: 267,
  stretched_s: 18.8,
};

const patrol = {
  camera: 'cam-1',
  presets: [{ pose: '村口', azimuth_deg: 40 }, { pose: '东坡', azimuth_deg: 110 }, { pose: '林场', azimuth_deg: null }],
  views: [
    { number: 1, preset: '村口', visits: 31, looks: 560, last_at: new Date().toISOString(), pictured_at: new Date().toISOString() },
    { number: 2, preset: null, visits: 30, looks: 541, last_at: new Date().toISOString(), pictured_at: new Date().toISOString() },
  ],
  pose: '?2',
  turning: 44,
  unclear: 0,
};

const proved = (camera, missing) => ({
  camera, missing, hours: missing.length ? 31 : 690.5, hours_clean: missing.length ? 31 : 212, last_false_at: missing.length ? null : new Date(Date.now() - 9 * 24 * hour).toISOString(),
  verdicts: { real: 1, false_alarms: 4, other: 0, open: 1 },
  self_tests: ['day', 'night'].map((light, i) => ({ scale: 'whole', light, tests: 60, passed: i && missing.length ? 0 : 58, smallest_best: i && missing.length ? null : 0.02, smallest_worst: i && missing.length ? null : 0.08, last_at: new Date().toISOString() })),
});

function scores(hours, seed) {
  const items = [];
  const count = Math.min(1500, hours * 60);
  for (let i = 0; i < count; i++) {
    const at = Date.now() - ((count - i) / count) * hours * hour;
    const wave = 0.12 + 0.08 * Math.sin(i / 60 + seed) + 0.05 * Math.sin(i * 12.9898 + seed);
    const burst = i > count * 0.86 && i < count * 0.9 ? 0.55 : 0;
    items.push({ captured_at: new Date(at).toISOString(), smoke: Math.min(0.97, Math.max(0.01, wave + burst)), fire: Math.max(0.005, 0.03 + burst / 4 + 0.02 * Math.sin(i * 7.1)) });
  }
  return items;
}

const counts = ({ smoke, evidence }, hours) => {
  const alarms = Math.round((1 - smoke) ** 2 * hours * 0.5 * (4 / (evidence + 1)));
  return { alarms, confirmed: Math.min(alarms, smoke < 0.75 ? 12 : 9), false_alarms: Math.max(0, alarms - 15), unverified: Math.min(3, Math.max(0, alarms - 12)) };
};

export function ops(method, what, url, body, answer, cameras) {
  const sent = method === 'POST' ? JSON.parse(body.toString()) : null;
  if (what === 'cameras') return answer(200, { items: cameras, thresholds: current, self_tests: tests, patrols: [patrol], eye });
  if (what === 'self-tests') {
    const test = tests.find((it) => it.camera === sent.camera) ?? tests[tests.push({ camera: sent.camera, asked_at: null, last: null }) - 1];
    test.asked_at = new Date().toISOString();
    return answer(200, test);
  }
  if (what === 'proof') return answer(200, { items: cameras.map((it, i) => proved(it.id, i % 2 ? ['hours', 'test_by_night'] : [])), hours_needed: 168, days: 30 });
  if (what === 'look-alikes') {
    const like = { incident: '01920000-0000-7000-8000-000000000901', code: '1121-02', camera: 'cam-1', at: new Date(Date.now() - 5 * hour).toISOString(), like: '1112-01', like_closed_at: new Date(Date.now() - 210 * hour).toISOString(), cause: 'fog_or_cloud', would_wait: true, category: 9 };
    return answer(200, { items: [like], incidents: 1, would_wait: 1, fires_would_wait: 0, now: 'send' });
  }
  if (what === 'view-names') {
    patrol.views.find((it) => it.number === sent.view).preset = sent.preset;
    return answer(200, patrol);
  }
  if (what === 'views') return answer(200, sent);
  if (what === 'scores') return answer(200, { items: scores(Number(url.searchParams.get('hours')), (url.searchParams.get('camera') ?? '').length), model: { name: 'smoke', version: '1.0.0' } });
  if (what === 'thresholds' && sent) {
    current = { ...sent.thresholds, version: current.version + 1 };
    history.push({ thresholds: current, by: '彭工', at: new Date().toISOString(), reason: sent.reason, counted_frames: false });
    return answer(200, { current, history, points });
  }
  if (what === 'thresholds') return answer(200, { current, history, points });
  const [now, then] = [counts(current, sent.hours), counts(sent.thresholds, sent.hours)];
  const alert = (i) => ({ camera: 'cam-1', at: new Date(Date.now() - i * 5 * hour).toISOString(), class: 'smoke', confidence: 0.58 });
  const difference = Math.abs(now.alarms - then.alarms);
  const alerts = Array.from({ length: Math.min(6, difference) }, (_, i) => alert(i + 1));
  const limit = sent.thresholds.evidence;
  const rise = (i) => ({ camera: 'cam-1', class: 'smoke', steps: Array.from({ length: 4 + i }, (_, n) => ({ at: new Date(Date.now() - hour + n * 10_000).toISOString(), score: 0.9, evidence: (limit * 1.02 * (1 - Math.exp(-(n + 1) / (2 + i)))) / (1 - Math.exp(-(4 + i) / (2 + i))) })) });
  answer(200, { now, then, rises: Array.from({ length: Math.min(5, then.alarms) }, (_, i) => rise(i)), lost: then.alarms < now.alarms ? alerts : [], gained: then.alarms > now.alarms ? alerts : [], frames: sent.hours * 360 });
}
