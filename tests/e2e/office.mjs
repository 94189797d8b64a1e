/** The officer's part of the story. */
import { accessible, api, shot, until } from './browser.mjs';

/**
 * The demo's smoke begins 25 s after its stream. It is mostly an incident half a minute later; where the looks of its first minute fall badly, as on
 * a busy machine, it is one as soon as the plume thickens, in the third.
 */
const PLUME_MS = 200_000;
/** Rendered smoke grows until it is confirmed, sooner or later by how it lies: mostly within a minute, of the ten a drill lasts. */
const DRILL_MS = 240_000;
/** The board shows a change within two seconds (requirement 17), on a busy machine too. */
const CHANGE_MS = 10_000;

export const card = (page, id) => page.locator(`.card[data-id="${id}"]`);

/** Starts the shift and waits until the demo's plume is an incident; says how long after `startedAt` that was. */
export async function waitForPlume(page, startedAt, say) {
  await page.waitForSelector('.queue :is(.card[data-id], .empty)');
  await page.click('[data-action="shift"]');
  const id = await until('the demo plume becomes an incident on the board', PLUME_MS - (Date.now() - startedAt), async () => {
    const { incidents } = await api(page, '/board');
    return incidents.find((it) => it.sightings.some(({ source }) => source.kind === 'camera'))?.id;
  });
  await card(page, id).waitFor({ timeout: CHANGE_MS });
  say(`the plume was an incident on the board ${((Date.now() - startedAt) / 1000).toFixed(1)} s after the start`);
  return id;
}

/** Chooses the incident by keyboard: up to the top of the queue with K, then down with J. */
async function choose(page, id) {
  const chosen = () => page.getAttribute('.office', 'data-selected');
  for (const key of ['k', 'j']) {
    for (let before = null; (await chosen()) !== before || before === null; ) {
      if ((await chosen()) === id) return;
      before = await chosen();
      await page.keyboard.press(key);
      // At an end of the queue nothing changes; on a busy machine a change takes a while.
      await page.waitForFunction((old) => document.querySelector('.office').dataset.selected !== old, before, { timeout: 500 }).catch(() => undefined);
    }
  }
  throw new Error('J and K do not reach the incident');
}

/** D, Enter. Returns when the order left the keyboard, or null when the policy had already dispatched. */
export async function dispatchByKeyboard(page, id, say) {
  await choose(page, id);
  await page.waitForSelector('.picture img');
  await page.waitForFunction(() => document.querySelector('.picture img')?.naturalWidth > 0);
  await page.waitForSelector('[data-why] .because li');
  await shot(page, '01-office-incident');
  await accessible(page, 'the office page with an incident');
  if ((await card(page, id).getAttribute('data-state')) !== 'needs_review') {
    say('the incident had dispatched itself before the officer');
    return null;
  }
  await page.keyboard.press('d');
  await page.waitForSelector('[data-confirm="dispatch"]:focus');
  await page.waitForSelector('.people-search');
  await shot(page, '02-office-dispatch');
  await accessible(page, 'the dispatch panel');
  const at = Date.now();
  await page.keyboard.press('Enter');
  return at;
}

export async function seesState(page, id, state) {
  await until(`the board shows the incident as ${state}`, CHANGE_MS, async () => (await card(page, id).getAttribute('data-state', { timeout: 200 })) === state);
}

/** X, Enter, ten seconds in which it could be undone, gone. */
export async function closeByKeyboard(page, id) {
  await choose(page, id);
  await page.waitForSelector('.pane .photos img');
  await page.waitForFunction(() => document.querySelector('.pane .photos img')?.naturalWidth > 0);
  await shot(page, '10-office-reported');
  await page.keyboard.press('x');
  await page.waitForSelector('.chip-first:focus');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-task="waiting"]');
  await shot(page, '11-office-undo');
  await accessible(page, 'the office page with the undo bar');
  await until('the incident is closed', 20_000, async () => (await api(page, `/incidents/${id}`)).state === 'closed');
  await card(page, id).waitFor({ state: 'detached', timeout: CHANGE_MS });
  await shot(page, '12-office-closed');
}

/** A spot of the map with nothing near it: a report beside a known fire would join that fire. */
const quietSpot = (page) =>
  page.evaluate(() => {
    const { left, top, width, height } = document.querySelector('.map-box').getBoundingClientRect();
    const taken = [...document.querySelectorAll('.map-box .pin-box')].map((it) => it.getBoundingClientRect());
    const spots = [0.3, 0.4, 0.5, 0.6, 0.7].flatMap((x) => [0.3, 0.4, 0.5, 0.6, 0.7].map((y) => ({ x: left + width * x, y: top + height * y })));
    const room = (spot) => Math.min(...taken.map((it) => Math.hypot(it.x - spot.x, it.y - spot.y)));
    return spots.sort((a, b) => room(b) - room(a))[0];
  });

/** N, a click on the map, how exact, who, what they said, Ctrl+Enter. Returns the new incident's id. */
export async function recordReport(page) {
  const said = '山脊后面冒灰烟，看不到明火';
  await page.keyboard.press('n');
  await page.waitForSelector('#intake-place:focus');
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('[data-hint="bad"]');
  const { x, y } = await quietSpot(page);
  await page.mouse.click(x, y);
  await page.waitForSelector('#intake-words:focus');
  await page.keyboard.type(said);
  await page.locator('.chip-radio', { has: page.locator('[name="intake-radius"][value="0"]') }).click();
  await page.locator('.chip-radio', { has: page.locator('[name="intake-caller"][value="1"]') }).click();
  await page.keyboard.press('Escape');
  await page.keyboard.press('n');
  await page.waitForSelector('.intake-resumed');
  if ((await page.inputValue('#intake-words')) !== said) throw new Error('Esc lost what the caller said');
  await shot(page, '13-office-report');
  await accessible(page, 'the report form');
  const place = (await page.inputValue('#intake-place')).split(',').map(Number);
  await page.keyboard.press('Control+Enter');
  const { id, fix } = await until('the report is an incident on the board', CHANGE_MS, async () => {
    const { incidents } = await api(page, '/board');
    return incidents.find((it) => it.sightings.some(({ source }) => source.kind === 'person' && source.words === said));
  });
  if (Math.hypot(fix.centre.lat_deg - place[0], fix.centre.lon_deg - place[1]) > 0.0001 || fix.radius_m !== 200) throw new Error(`it is not where the officer pointed: ${JSON.stringify(fix)}`);
  await page.waitForSelector(`.office[data-selected="${id}"] .pane-head`);
  await card(page, id).waitFor({ timeout: CHANGE_MS });
  await shot(page, '14-office-reported-fire');
  return id;
}

/** F and the first reason. It leaves after the ten seconds of the undo bar: the story goes on meanwhile. */
export async function dismiss(page) {
  await page.keyboard.press('f');
  await page.waitForSelector('.chips [data-value="cooking_smoke"]');
  await page.click('.chips [data-value="cooking_smoke"]');
  await page.waitForSelector('[data-task="waiting"]');
}

export async function seesDismissed(page, id) {
  await until('the report is closed as a false alarm', 20_000, async () => (await api(page, `/incidents/${id}`)).closure?.false_alarm === 'cooking_smoke');
  await card(page, id).waitFor({ state: 'detached', timeout: CHANGE_MS });
}

export async function inEnglish(page) {
  await page.click('.header .header-button[lang="en"]');
  await page.waitForFunction(() => document.documentElement.lang === 'en');
  await shot(page, '15-office-english');
  await accessible(page, 'the office page in English');
  await page.keyboard.press('n');
  await page.waitForSelector('#intake-place:focus');
  await page.keyboard.type(`28°27'09"N 110°23'38"E`);
  await page.waitForSelector('[data-hint="good"], [data-hint="doubt"]');
  await shot(page, '16-office-report-english');
  await accessible(page, 'the report form in English');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.intake', { state: 'detached' });
}

/** `huoyan drill`: smoke that the program renders itself is an incident like any other, and says everywhere that it is none. */
export async function drillIsFlagged(page) {
  const id = await until('the drill becomes an incident', DRILL_MS, async () => (await api(page, '/board')).incidents.find((it) => it.drill)?.id);
  await card(page, id).waitFor({ timeout: CHANGE_MS });
  if (!(await card(page, id).textContent()).includes('演练')) throw new Error('the card of the drill does not say 演练');
  await choose(page, id);
  await page.waitForSelector('.pane.striped .drill');
  await page.waitForFunction(() => document.querySelector('.picture img')?.naturalWidth > 0);
  await shot(page, '22-office-drill');
  await accessible(page, 'the office page with a drill');
}
