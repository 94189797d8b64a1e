/** The officer sorts evidence: what belongs together, what does not, who has been told, and where they are sent. */
import { accessible, api, shot, until } from './browser.mjs';
import { card, dismiss } from './office.mjs';

/** The board shows a change within two seconds (requirement 17), on a busy machine too. */
const CHANGE_MS = 10_000;
/** Ten seconds in which it could be undone. */
const DISMISSED_MS = 20_000;
/** A text that no gateway carries is noticed at the desk's next look. */
const NOTICED_MS = 20_000;

const incident = (page, id) => api(page, `/incidents/${id}`);

const becomes = (page, id, what, check, limitMs = CHANGE_MS) => until(what, limitMs, async () => check(await incident(page, id)));

async function select(page, id) {
  await card(page, id).click();
  await page.waitForSelector(`.office[data-selected="${id}"] .pane-head`);
}

/** A call, typed: where (degrees), and what was said. */
async function call(page, { lat_deg, lon_deg }, said) {
  await page.keyboard.press('n');
  await page.waitForSelector('#intake-place:focus');
  await page.keyboard.type(`${lat_deg.toFixed(5)}, ${lon_deg.toFixed(5)}`);
  await page.locator('.chip-radio', { has: page.locator('[name="intake-radius"][value="1"]') }).click();
  await page.fill('#intake-words', said);
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('.intake', { state: 'detached', timeout: CHANGE_MS });
}

/** A second caller joins the fire of the first; is struck out, put back, made a fire of its own, joined and parted again. */
export async function sortEvidence(page, id) {
  const { fix } = await incident(page, id);
  await call(page, { lat_deg: fix.centre.lat_deg + 0.003, lon_deg: fix.centre.lon_deg }, '路边看到山上冒烟');
  await becomes(page, id, 'the second call joins the first', ({ sightings }) => sightings.length === 2);
  await select(page, id);
  const second = (await incident(page, id)).sightings[1].id;

  await page.click(`[data-strike="${second}"]`);
  await becomes(page, id, 'the call is struck out', ({ sightings, struck_out }) => sightings.length === 1 && struck_out.length === 1);
  await page.click(`[data-reinstate="${second}"]`);
  await becomes(page, id, 'the call is put back', ({ sightings, struck_out }) => sightings.length === 2 && struck_out.length === 0);

  const evidence = page.locator('.pane section', { has: page.locator('[data-action="split"]') });
  await page.click('[data-action="split"]');
  await evidence.locator('.pick input').nth(1).check();
  await shot(page, '23-office-split');
  await accessible(page, 'the choice of evidence');
  await evidence.locator('button.button').click();
  const other = await until('the call is a fire of its own', CHANGE_MS, async () => (await api(page, '/board')).incidents.find((it) => it.split_from === id)?.id);

  await select(page, other);
  await page.locator(`[data-link="${id}"] button.tool`).nth(1).click();
  await becomes(page, other, 'the two are joined', ({ merged, merged_into }) => merged.includes(id) || merged_into === id);
  const leader = (await incident(page, other)).merged_into === id ? id : other;
  await until('the leader shows what it leads', CHANGE_MS, async () => (await incident(page, leader)).sightings.length === 2);
  await shot(page, '24-office-merged');
  const parting = leader === other ? `.kin [data-merged="${id}"] button.tool` : '.kin li:first-child button.tool';
  await page.locator(parting).last().click();
  await becomes(page, other, 'the two are parted', ({ merged, merged_into }) => merged.length === 0 && merged_into === null);

  await select(page, other);
  await dismiss(page);
  await until('the second is closed', DISMISSED_MS, async () => (await incident(page, other)).state === 'closed');
}

/** 未送达: without a gateway the text reaches nobody; the board says so until somebody has phoned. */
export async function phoneByHand(page, id) {
  await select(page, id);
  await page.keyboard.press('d');
  await page.waitForSelector('[data-confirm="dispatch"]:focus');
  await page.keyboard.press('Enter');
  // The office's own ring for this card may have reached nobody either; the order takes that mark away.
  await becomes(page, id, 'the order reaches no ranger', ({ undelivered }) => undelivered.some(({ role }) => role === 'ranger'), NOTICED_MS);
  await page.waitForSelector('.undelivered');
  await shot(page, '25-office-undelivered');
  await accessible(page, 'a message that reached nobody');
  // The next person is tried meanwhile and cannot be reached either.
  await until('everybody has been phoned', NOTICED_MS, async () => {
    if ((await incident(page, id)).undelivered.length === 0) return true;
    const first = page.locator('.undelivered').first();
    const message = await first.getAttribute('data-message', { timeout: 500 });
    await first.locator('button').click({ timeout: 500 });
    await page.waitForSelector(`.undelivered[data-message="${message}"]`, { state: 'detached', timeout: 2000 });
    return false;
  });
  const { log } = await incident(page, id);
  if (!log.some(({ event }) => event.type === 'undelivered_taken')) throw new Error('the log does not say that somebody has phoned');
}

/** 位置更正: the ranger is on the way when the call he was sent for turns out to be another's. */
export async function moveThePlace(page, id) {
  await call(page, await nextTo(page, id), '烟在更北边的山坳');
  await becomes(page, id, 'a later call joins', ({ sightings }) => sightings.length === 2);
  await select(page, id);
  await page.keyboard.press('a');
  await page.locator('.chips .chip').first().click();
  await becomes(page, id, 'the ranger has acknowledged', ({ state }) => state === 'acknowledged');
  const before = await incident(page, id);
  await page.click(`[data-strike="${before.sightings[0].id}"]`);
  await becomes(page, id, 'the place has moved and the ranger is told', ({ fix, log }) =>
    fix.centre.lat_deg > before.fix.centre.lat_deg + 0.002 && log.some(({ event }) => event.type === 'relocated' && event.tell_ranger));
  await shot(page, '26-office-moved');
  await accessible(page, 'an incident whose place has moved');
}

async function nextTo(page, id) {
  const { lat_deg, lon_deg } = (await incident(page, id)).fix.centre;
  return { lat_deg: lat_deg + 0.006, lon_deg };
}
