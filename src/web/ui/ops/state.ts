/** The ops page: cameras and thresholds as they are, and the draft being tried. Nothing live changes but by `publish`. */
import { computed, effect, signal } from '@preact/signals';
import { get, getTimed, post } from '../shared/api';
import { now } from '../shared/clock';
import { failure } from '../shared/describe';
import { same } from './point';
import type { Camera, Eye, Health, LookAlikes, Me, Patrol, Points, Proofs, Published, SelfTest, Thresholds, Time, WhatIf } from '../shared/types';

const REFRESH_MS = 10_000;
const DEBOUNCE_MS = 300;
const PROOF_MS = 300_000;
/** About what a self-test takes on an idle machine. */
const SELF_TEST_MS = 3_000;

export interface Scores {
  items: { captured_at: Time; smoke: number; fire: number }[];
  model: { name: string; version: string } | null;
}

export const periods = [24, 168, 720] as const;
export const me = signal<Me | null>(null);
export const cameras = signal<Camera[] | null>(null);
export const selfTests = signal<SelfTest[]>([]);
/** Cameras that turn. */
export const patrols = signal<Patrol[]>([]);
/** How each camera was proved; null until it was read. */
export const proofs = signal<Proofs | null>(null);
/** Alarms that look like a verified false one; null until they were read. */
export const lookAlikes = signal<LookAlikes | null>(null);
/** Null: no model is loaded. */
export const eye = signal<Eye | null>(null);
export const current = signal<Thresholds | null>(null);
export const draft = signal<Thresholds | null>(null);
export const history = signal<Published[] | null>(null);
/** Null: the model has none. */
export const points = signal<Points | null>(null);
/** Seconds after which a camera's alarm sends a ranger without a person; null: an officer decides. */
export const cameraSendsAfter = signal<number | null>(null);
/** What goes wrong now, by what was tried: one read that works does not hide another that fails. */
const problems = signal<ReadonlyMap<string, string>>(new Map());
export const problem = computed(() => [...problems.value.values()][0] ?? null);
/** Since when something goes wrong, by the server's clock. */
export const brokenAt = signal(0);
export const failedAt = (what: 'scores' | 'what-if' | 'thresholds' | 'self-test' | 'proof' | 'patrol'): string | null => problems.value.get(what) ?? null;
export const chosenId = signal<string | null>(null);
export const hours = signal<number>(24);
/** Whether a trial counts the chosen camera alone. */
export const onlyChosen = signal(false);
export const scores = signal<Scores | null>(null);
export const whatIf = signal<WhatIf | null>(null);
export const computing = signal(false);
export const publishedVersion = signal<number | null>(null);

/** Who needs a person first: nothing comes, then blind, then half blind or pointing wrongly, then fog (the weather's), then busy. */
const severity: Record<Health, number> = {
  offline: 0,
  bad_password: 0,
  misconfigured: 0,
  undecodable: 1,
  black: 1,
  frozen: 1,
  covered: 1,
  overexposed: 2,
  blurred: 2,
  moved: 2,
  fog: 3,
  resized: 4,
  late: 4,
  starting: 5,
  ok: 6,
};

export function byAttention(list: readonly Camera[]): Camera[] {
  return [...list].sort(
    (a, b) => severity[a.health] - severity[b.health] || b.alarms_today - a.alarms_today || (b.last_scores?.smoke ?? 0) - (a.last_scores?.smoke ?? 0) || (a.name < b.name ? -1 : 1),
  );
}

export const sorted = computed(() => byAttention(cameras.value ?? []));
export const chosen = computed(() => cameras.value?.find((camera) => camera.id === chosenId.value) ?? null);
export const changed = computed(() => {
  const [a, b] = [current.value, draft.value];
  return a !== null && b !== null && !(same(a, b) && a.memory === b.memory);
});

async function attempt(what: string, work: () => Promise<void>): Promise<void> {
  const others = (): [string, string][] => [...problems.value].filter(([it]) => it !== what);
  try {
    await work();
    if (problems.value.has(what)) problems.value = new Map(others());
  } catch (error) {
    if (problems.value.size === 0) brokenAt.value = now.peek();
    problems.value = new Map([...others(), [what, failure(error)]]);
  }
}

export const loadCameras = (): Promise<void> =>
  attempt('cameras', async () => {
    const answer = await get<{ items: Camera[]; thresholds: Thresholds; self_tests: SelfTest[]; patrols: Patrol[]; eye: Eye | null }>('/ops/cameras');
    cameras.value = answer.items;
    selfTests.value = answer.self_tests;
    patrols.value = answer.patrols;
    eye.value = answer.eye;
    takeCurrent(answer.thresholds);
    chosenId.value ??= busiest(answer.items);
  });

/** A month of the record is summed up for it: asked seldom. */
export const loadProofs = (): Promise<void> =>
  attempt('proof', async () => {
    proofs.value = await get<Proofs>('/ops/proof');
    lookAlikes.value = await get<LookAlikes>('/ops/look-alikes');
  });

/** Runs when the machine has time; the list is read again until it is done. */
export const askSelfTest = (camera: string): Promise<void> =>
  attempt('self-test', async () => {
    const test = await post<SelfTest>('/ops/self-tests', { camera });
    selfTests.value = [...selfTests.value.filter((it) => it.camera !== camera), test];
    setTimeout(() => void loadCameras(), SELF_TEST_MS);
  });

export const acceptView = (camera: string): Promise<void> =>
  attempt('self-test', async () => {
    await post('/ops/views', { camera });
    await loadCameras();
  });

export const nameView = (named: { camera: string; view: number; preset: string | null }): Promise<void> =>
  attempt('patrol', async () => {
    const patrol = await post<Patrol>('/ops/view-names', named);
    patrols.value = patrols.value.map((it) => (it.camera === patrol.camera ? patrol : it));
  });

/** Opens on a camera with something to look at, not on a dead one. */
function busiest(list: readonly Camera[]): string | null {
  const alive = list.filter((camera) => camera.last_scores !== null);
  return (alive.sort((a, b) => (b.last_scores?.smoke ?? 0) - (a.last_scores?.smoke ?? 0))[0] ?? list[0])?.id ?? null;
}

function takeCurrent(thresholds: Thresholds): void {
  const untouched = !changed.value;
  current.value = thresholds;
  if (untouched || draft.value === null) draft.value = thresholds;
}

export async function loadHistory(): Promise<void> {
  await attempt('thresholds', async () => {
    const answer = await get<{ current: Thresholds; history: Published[]; points: Points | null; camera_sends_after_s: number | null }>('/ops/thresholds');
    history.value = [...answer.history].sort((a, b) => b.thresholds.version - a.thresholds.version);
    points.value = answer.points;
    cameraSendsAfter.value = answer.camera_sends_after_s;
    takeCurrent(answer.current);
  });
}

export function edit(change: Partial<Thresholds>): void {
  if (!draft.value) return;
  draft.value = { ...draft.value, ...change };
  publishedVersion.value = null;
}

export const reset = (): void => void (draft.value = current.value);

export async function publish(reason: string): Promise<boolean> {
  let done = false;
  await attempt('publish', async () => {
    await post('/ops/thresholds', { thresholds: draft.value, reason });
    done = true;
  });
  if (!done) return false;
  draft.value = current.value;
  await loadHistory();
  draft.value = current.value;
  publishedVersion.value = current.value?.version ?? null;
  return true;
}

/** Reads the scores whenever camera or period change, and then once a minute. */
function followScores(): void {
  const load = async (): Promise<void> => {
    const [camera, period] = [chosenId.value, hours.value];
    if (!camera) return;
    await attempt('scores', async () => {
      const answer = await get<Scores>(`/ops/scores?camera=${encodeURIComponent(camera)}&hours=${period}`);
      if (camera === chosenId.peek() && period === hours.peek()) scores.value = answer;
    });
  };
  effect(() => {
    void [chosenId.value, hours.value];
    scores.value = null;
    void load();
  });
  setInterval(() => void load(), 60_000);
}

/** Counts up to ask the trial again. */
const askAgain = signal(0);
export const retryWhatIf = (): void => void askAgain.value++;

function followWhatIf(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;
  effect(() => {
    const thresholds = draft.value;
    const camera = onlyChosen.value ? chosenId.value : null;
    const period = hours.value;
    void askAgain.value;
    clearTimeout(timer);
    if (!thresholds) return;
    computing.value = true;
    timer = setTimeout(() => {
      const mine = ++asked;
      void attempt('what-if', async () => {
        const answer = await post<WhatIf>('/ops/what-if', { thresholds, hours: period, ...(camera ? { camera } : {}) });
        if (mine === asked) whatIf.value = answer;
      }).then(() => {
        if (mine !== asked) return;
        computing.value = false;
        // The old numbers would stand under a new sentence.
        if (failedAt('what-if')) whatIf.value = null;
      });
    }, DEBOUNCE_MS);
  });
}

export async function start(): Promise<void> {
  void attempt('me', async () => void (me.value = await getTimed<Me>('/me')));
  await Promise.all([loadCameras(), loadHistory()]);
  followScores();
  followWhatIf();
  void loadProofs();
  setInterval(() => void loadCameras(), REFRESH_MS);
  setInterval(() => void loadProofs(), PROOF_MS);
}
