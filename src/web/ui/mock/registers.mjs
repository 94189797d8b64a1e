/** Registers in memory for the workbench: read, shown, changed, taken back. Nothing is checked but that a phone has eleven digits. */
import { grids, people as rangers } from './data.mjs';

const day = (n) => new Date(Date.now() + 8 * 3_600_000 + n * 86_400_000).toISOString().slice(0, 10);
const staff = [['ZB1', '吴敏'], ['ZB2', '彭长贵'], ['ZB3', '李红'], ['LD1', '陈立新'], ['LD2', '杨金福']].map(([id, name], n) => ({ id, name, phone: `1390000010${n}`, post: id.startsWith('ZB') ? '县值班员' : '带班领导' }));
const keys = { people: (it) => it.id, duty: (it) => [it.date, it.role, it.township, it.begins].filter(Boolean).join(' '), burns: (it) => `${it.name} ${it.from}`, heat_sources: (it) => it.name, cameras: (it) => `${it.id}@default`, grids: (it) => it.properties.code, county: () => '' };
const rota = [-1, 0, 1, 2, 4, 5, 6].flatMap((n) => [{ date: day(n), role: '带班领导', person: `LD${(Math.abs(n) % 2) + 1}` }, { date: day(n), role: '县值班', person: `ZB${(Math.abs(n) % 3) + 1}`, ...(n === 2 ? { begins: '08:00', ends: '20:00' } : {}) }, ...['凤滩镇', '云阁镇', '石门溪乡'].map((township) => ({ date: day(n), role: '乡镇值班', township, person: 'ZB3' }))]);
const held = {
  people: [...staff, ...Object.values(rangers).map(({ id, name, phone }, n) => ({ id, name, ...(phone ? { phone } : {}), post: '护林员A角', grid: `g${n + 1}`, village: '大坪村', township: '凤滩镇' }))],
  duty: rota,
  burns: [{ name: '青山炼山', longitude: '110.45', latitude: '28.5', radius: '200', from: `${day(0)} 08:00:00`, to: `${day(0)} 18:00:00`, approver: '县林业局' }],
  heat_sources: [{ name: '云溪红砖厂', longitude: '110.38', latitude: '28.42', radius: '300', expires: day(181) }, { name: '老窑', longitude: '110.5', latitude: '28.4', radius: '300', expires: day(-3) }],
  cameras: [{ id: 'cam-1', name: '3号塔', longitude: '110.4', latitude: '28.5', azimuth: '42', url: 'rtsp://***@10.0.0.1/1' }, { id: 'cam-2', name: '九龙坳', longitude: '110.5', latitude: '28.55', url: 'rtsp://***@10.0.0.2/1' }],
  grids: grids().features,
  county: [{ name: '沅溪县', centre: '{"lat_deg":28.46,"lon_deg":110.42}' }],
};
const origin = { number: 1, at: new Date(Date.now() - 6 * 86_400_000).toISOString(), by_name: 'people.csv', why: '从登记册文件夹接管' };
const changes = [];
const from = new Map();
let seen = 1;

const find = (register, key) => held[register].find((it) => keys[register](it) === key);
const cells = (it) => it.properties ?? it;
const diffOf = (register, facts) => {
  const diff = { added: [], changed: [], removed: [], dated: [] };
  for (const { key, entry } of facts) {
    const before = find(register, key);
    if (before && !entry) diff.removed.push(key);
    else if (!before && entry) diff.added.push(key);
    else if (before && entry) {
      const [old, fresh] = [cells(before), cells(entry)];
      const columns = [...new Set([...Object.keys(old), ...Object.keys(fresh)])].filter((it) => (old[it] ?? '') !== (fresh[it] ?? ''));
      if (columns.length > 0) diff.changed.push({ key, cells: columns.map((column) => ({ column, before: String(old[column] ?? ''), after: String(fresh[column] ?? '') })) });
    }
  }
  return diff;
};

function answer(register, facts, why, dry) {
  const diff = diffOf(register, facts);
  const follows = register === 'duty' && diff.removed.length > 0 ? [{ effect: 'opens', words: `${day(1)} 全县无县值班员` }] : register === 'cameras' ? [{ effect: 'camera', words: '3号塔：重新连接，记住的画面保留' }] : [];
  const entries = Object.fromEntries(facts.filter(({ entry }) => entry).map(({ key, entry }) => [key, entry]));
  if (!dry) {
    seen++;
    changes.unshift({ number: seen, at: new Date().toISOString(), by: { kind: 'person', name: 'ZB1' }, by_name: '吴敏', why, entries: facts.length, facts: facts.map(({ key, entry }) => ({ register, key, entry, before: find(register, key) ?? null, diff: diffOf(register, [{ key, entry }]), valid_from: null, valid_until: null })) });
    for (const { key, entry } of facts) {
      const place = held[register].findIndex((it) => keys[register](it) === key);
      if (place < 0) held[register].push(entry);
      else held[register].splice(place, 1, ...(entry ? [entry] : []));
      from.set(`${register} ${key}`, seen);
    }
  }
  return { diff, entries, follows, seen };
}

const problemsOf = { people: () => held.people.filter((it) => !it.phone).map((it) => ({ key: it.id, line: null, words: '没有电话，不能通知' })), heat_sources: () => [{ key: '老窑', line: null, words: '已到期，不再用于标注' }], cameras: () => [{ key: 'cam-2@default', line: null, words: '没有方位角，警情没有方向' }], duty: () => [{ key: null, line: null, words: `${day(3)} 全县无县值班员` }] };

function view(register) {
  const items = held[register].map((entry) => ({ key: keys[register](entry), entry, change: from.get(`${register} ${keys[register](entry)}`) ?? 1, valid_until: null }));
  const origins = [origin, ...[...changes].reverse().map(({ number, at, by_name, why }) => ({ number, at, by_name, why }))];
  return { register, at: new Date().toISOString(), seen, may_change: register !== 'county', items, origins, ahead: [], problems: problemsOf[register]?.() ?? [] };
}

/** Answers `/registers…`, `/register-changes…` and `/rota-gaps`. */
export function registers(kind, key, action, method, url, body, send) {
  if (kind === 'rota-gaps') return send(200, { today: day(0), items: [3, 7, 8].map((n) => ({ date: day(n), since: null, role: 'county_duty', township: null })).concat([{ date: day(2), since: '20:00', role: 'county_duty', township: null }, { date: day(7), since: null, role: 'township_duty', township: '凤滩镇' }]) });
  if (kind === 'register-changes' && key === 'undo') {
    const { number, why, dry_run: dry } = JSON.parse(body.toString());
    const change = changes.find((it) => it.number === number);
    if (!change) return send(404, { code: 'not_found', detail: '没有找到' });
    return send(200, answer(change.facts[0].register, change.facts.map(({ key: of, before }) => ({ key: of, entry: before })), why, dry));
  }
  if (kind === 'register-changes') return send(200, { items: changes.filter((it) => !url.searchParams.has('register') || it.facts.some((fact) => fact.register === url.searchParams.get('register'))), next: null });
  if (method === 'GET') return send(200, view(key));
  if (action === 'file') {
    const [head = '', ...lines] = body.toString().trim().split('\n');
    const columns = { 编号: 'id', 姓名: 'name', 电话: 'phone', 岗位: 'post', 网格: 'grid' };
    const all = lines.map((line, n) => [n + 2, Object.fromEntries(line.split('\t').map((cell, place) => [columns[head.split('\t')[place]] ?? 'x', cell.replaceAll('-', '')]))]);
    const bad = all.filter(([, it]) => it.phone && it.phone.length !== 11);
    const facts = all.filter((it) => !bad.includes(it)).map(([, entry]) => ({ key: entry.id, entry }));
    return send(200, { accepted: facts.length, rejected: bad.map(([line]) => ({ line, reason: '“电话”的值“12”不对：应为11位手机号或带区号的座机' })), warnings: [], ...answer(key, facts, url.searchParams.get('why'), url.searchParams.get('dry_run') === 'true') });
  }
  const { set = [], remove = [], why, seen: known, dry_run: dry } = JSON.parse(body.toString());
  const wrong = set.find((it) => it.phone && it.phone.replaceAll('-', '').length !== 11);
  if (wrong) return send(422, { code: 'invalid', detail: `第1条：“电话”的值“${wrong.phone}”不对：应为11位手机号或带区号的座机` });
  const faster = set.map((it) => from.get(`${key} ${keys[key](it)}`) ?? 0).filter((number) => number > known);
  if (!dry && faster.length > 0) return send(409, { code: 'conflict', detail: `吴敏 刚刚已更改（${changes.find((it) => it.number === faster[0]).why}）。请重新查看后再决定。` });
  const plain = set.map((it) => (it.phone ? { ...it, phone: it.phone.replaceAll('-', '') } : it));
  return send(200, answer(key, [...plain.map((entry) => ({ key: keys[key](entry), entry })), ...remove.map((of) => ({ key: of, entry: null }))], why, dry));
}
