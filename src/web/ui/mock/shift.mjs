/** The shift of the mock: 吴敏 is logged in, 陈立新 by the rota; much as the server signs it. */
const iso = (at = Date.now()) => new Date(at).toISOString();
const person = (id, name) => ({ id, name, role: 'county_duty', phone: null, distance_m: null });
const me = person('officer', '吴敏');
let current = null;

export const shift = () => ({ current, rota: me, unsigned_since: current ? null : iso(new Date().setHours(8, 0, 0, 0)), me });

export function signShift(action, body, open) {
  if (action === 'start') current = current?.officer.id === me.id ? { ...current, handover: null } : { officer: me, since: iso(), before: current?.officer ?? null, taken: { how: 'started' }, handover: null };
  else {
    const handover = { at: iso(), note: body.note ?? '', open: open.map(({ id, code, place, state, drill }) => ({ incident: id, code, place: place.name, state, drill })), unreached: [], burns: [], faults: [] };
    const to = body.signed_for && person(body.signed_for.person, body.signed_for.person);
    current = to ? { officer: to, since: iso(), before: me, taken: { how: 'signed_for_both', why: body.signed_for.why, handover }, handover: null } : { ...current, handover };
  }
  return shift();
}
