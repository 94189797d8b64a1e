/** What surrounds an incident in the mock: candidates, reasons, owner, and the actions that sort evidence and place. */
const iso = (at = Date.now()) => new Date(at).toISOString();
const MIN = 60_000;

export const candidate = (grid, name, weight, ranger, backup = null) => ({ grid, name, weight, ranger, backup });

/** The spread of a fix that is one camera's bearing. */
export const spread = (locus) => ({ ...locus, range: 'unknown' });

/** Fields that most incidents leave empty. */
export const quiet = () => ({
  owner: null, because: [], waiting: [], proposal: null, intent: null, undelivered: [], answers: [], owes_answer: false,
  in_force: { danger: [], signals: [], bans: [] }, links: [], merged: [], merged_into: null, split_from: null, struck_out: [], reminders: 0,
});

/** Who has to act next, much as the server says it. */
export function owner(it, now) {
  const { dispatch, state } = it;
  if (state === 'closed') return null;
  const matter = state === 'needs_review' ? 'review' : state === 'reported' ? 'report_review' : null;
  if (matter) return { who: { role: 'county_duty' }, task: 'matter', of: matter, until: it.review_by ?? iso(now + 6 * MIN) };
  const [of, until] = state === 'dispatched' ? ['acknowledged', dispatch.acknowledge_by] : state === 'acknowledged' ? ['arrived', dispatch.arrive_by] : ['reported', dispatch.report_by];
  return { who: { person: dispatch.ranger.id }, task: 'step', of, until };
}

export function waiting(it, now) {
  if (it.state === 'needs_review') return [{ matter: 'review', since: it.opened_at, due_at: it.review_by ?? iso(now + 3 * MIN), rounds: it.review_by ? 0 : 1 }];
  return it.state === 'reported' ? [{ matter: 'report_review', since: it.opened_at, due_at: iso(now + 6 * MIN), rounds: 0 }] : [];
}

const without = (list, id) => list.filter((it) => it.id !== id);

/** What an officer does about evidence, place and messages. `all` is the county's incidents by id. */
export const sorting = (all, opened) => ({
  relocate: (it, { accept }) => {
    const { proposal } = it;
    if (accept && proposal) Object.assign(it, { fix: proposal.fix, place: proposal.place });
    Object.assign(it, { proposal: null, waiting: it.waiting.filter(({ matter }) => matter !== 'relocation') });
    return accept && proposal ? { type: 'relocated', place: it.place, why: { why: 'officer' }, tell_ranger: true } : { type: 'relocation_dismissed' };
  },
  'strike-out': (it, { sighting, reason = '' }) => {
    it.struck_out.push(it.sightings.find(({ id }) => id === sighting));
    it.sightings = without(it.sightings, sighting);
    return { type: 'struck_out', sighting, reason };
  },
  reinstate: (it, { sighting }) => {
    it.sightings.push(it.struck_out.find(({ id }) => id === sighting));
    it.struck_out = without(it.struck_out, sighting);
    return { type: 'reinstated', sighting };
  },
  split: (it, { sightings }) => {
    const part = opened({ ...it, sightings: it.sightings.filter(({ id }) => sightings.includes(id)), split_from: it.id });
    it.sightings = it.sightings.filter(({ id }) => !sightings.includes(id));
    return { type: 'split_off', sightings, into: part.id };
  },
  merge: (it, { other }) => {
    it.links = it.links.filter((id) => id !== other);
    it.merged.push(other);
    Object.assign(all.get(other), { merged_into: it.id });
    return { type: 'merged', other, sightings: [] };
  },
  unmerge: (it, { other }) => {
    const theirs = all.get(other);
    if (it.merged_into === other) [it.merged_into, theirs.merged] = [null, theirs.merged.filter((id) => id !== it.id)];
    else [it.merged, theirs.merged_into] = [it.merged.filter((id) => id !== other), null];
    return { type: 'unmerged', other };
  },
  intent: (it, { intent }) => {
    const until = iso(Date.now() + MIN);
    it.intent = { intent, by: 'officer', until, since: iso(), over: false };
    return { type: 'intended', intent, until };
  },
  undelivered: (it, { message }) => {
    it.undelivered = it.undelivered.filter((one) => one.message !== message);
    return { type: 'undelivered_taken', message };
  },
});

/** `GET /api/v1/people`. */
export function people(register, open, incident, q) {
  const busy = (id) => open.filter((it) => it.dispatch?.ranger.id === id && !['needs_review', 'reported'].includes(it.state)).map((it) => it.code);
  const declined = (id) => [incident?.dispatch, ...(incident?.past_dispatches ?? [])].some((it) => it?.ranger.id === id && it.declined);
  const items = Object.values(register)
    .map((it) => ({ ...it, post: it.role === 'ranger' ? '护林员A角' : it.role === 'backup_ranger' ? '护林员B角' : '乡镇林业员', grid: `WG-${it.id}`, village: '大坪村', township: '官庄镇', busy: busy(it.id), answered_at: busy(it.id).length > 0 ? iso(Date.now() - 9 * MIN) : null, declined: declined(it.id) }))
    .filter((it) => [it.name, it.phone, it.village, it.township, it.grid].join(' ').toLowerCase().includes(q.toLowerCase()));
  return { items, more: 0 };
}

/** What of it a ranger sees, and what it asks of him. */
export function forRanger(it, me) {
  if (it.dispatch?.ranger.id === me) return { mine: 'sent', told_as: null, answered_at: null };
  const near = it.dispatch?.neighbours.find(({ ranger }) => ranger.id === me);
  if (!near) return null;
  const answer = it.answers.find(({ person }) => person.id === me);
  return { mine: near.go && !it.dispatch.acknowledged ? 'asked' : 'told', told_as: 'ranger', answered_at: answer?.at ?? null };
}
