/** The officer's part of the registers: a swap, a phone number, a sheet, the changes, and all of it taken back. */
import { accessible, api, shot, until } from './browser.mjs';

const ANSWER_MS = 15_000;
const SIZES = [[1024, 768], [1366, 768], [1920, 1080]];
const WHY = '演示更正';

/** Presses, and waits for the diff that the server answers with. */
async function toReview(page, selector) {
  await page.click(selector);
  await page.waitForSelector('[data-task="review"] .review', { timeout: ANSWER_MS });
}

async function commit(page, why) {
  await page.fill('#why', why);
  await page.click('[data-action="commit"]');
  await page.waitForSelector('.made', { timeout: ANSWER_MS });
  return Number(await page.getAttribute('.made', 'data-made'));
}

async function takeBack(page) {
  await toReview(page, '[data-action="undo-made"]');
  await page.click('[data-action="commit"]');
  await page.waitForSelector('[data-task="review"]', { state: 'detached', timeout: ANSWER_MS });
}

const row = async (page, register, key) => (await api(page, `/registers/${register}`)).items.find((it) => it.key === key)?.entry;

/** Nothing is cut off or lies over the edge. */
async function fits(page, what) {
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (over > 0) throw new Error(`${what} is ${over} px too wide at ${width} × ${height}`);
    await shot(page, `30-registers-${what}-${width}`);
  }
  await page.setViewportSize({ width: 1366, height: 768 });
}

export async function keepRegisters(desk, faults) {
  const page = await desk.context().newPage();
  page.on('pageerror', (error) => faults.push(`an error on the page of the registers: ${error.message}`));
  await page.goto(new URL('/registers', desk.url()).href);
  await swapShifts(page);
  await standIn(page);
  await correctPhone(page);
  await beOvertaken(page);
  await bringSheet(page);
  await readChanges(page);
  await lookBack(page);
  for (const register of ['burns', 'heat_sources', 'cameras', 'grids', 'county']) {
    await page.click(`[data-register="${register}"]`);
    await page.waitForSelector(register === 'county' ? '.county-cells' : '.entries tbody tr, .empty', { timeout: ANSWER_MS });
    await accessible(page, `the register ${register}`);
  }
  await page.click('[data-register="burns"]');
  await page.click('.entries .name');
  await page.waitForSelector('.entry .shape');
  await shot(page, '35-registers-burn');
  await accessible(page, 'an approved burn');
  await page.click('.header .header-button:not([href])');
  await page.waitForFunction(() => document.documentElement.lang === 'en');
  await accessible(page, 'the registers in English');
  await page.click('[data-register="duty"]');
  await page.waitForSelector('.day-today .shift-chip');
  await shot(page, '36-registers-english');
  await accessible(page, 'the rota in English');
  await page.click('.day-today .day-add');
  await fits(page, 'english');
  await page.click('.header .header-button:not([href])');
  await page.waitForFunction(() => document.documentElement.lang === 'zh-CN');
  await page.close();
}

/** Two presses, a look, a reason; and back. */
async function swapShifts(page) {
  await page.waitForSelector('.day-today .shift-chip', { timeout: ANSWER_MS });
  await fits(page, 'rota');
  await accessible(page, 'the rota');
  const { items } = await api(page, '/registers/duty');
  const today = await page.getAttribute('.day-today', 'data-day');
  const officer = items.find(({ entry }) => entry.date === today && entry.role === '县值班');
  const other = items.find(({ entry }) => entry.date > today && entry.role === '县值班' && entry.person !== officer.entry.person);
  await page.click(`[data-shift="${officer.key}"]`);
  await page.waitForSelector('[data-task="shift"]');
  await shot(page, '31-registers-shift');
  await accessible(page, 'a shift');
  await toReview(page, `[data-shift="${other.key}"]`);
  await shot(page, '32-registers-swap');
  await accessible(page, 'a swap before it is made');
  await commit(page, WHY);
  if ((await row(page, 'duty', officer.key)).person !== other.entry.person) throw new Error('the two people are not swapped');
  await takeBack(page);
  if ((await row(page, 'duty', officer.key)).person !== officer.entry.person) throw new Error('the swap was not taken back');
}

/** Three days of one person are one change. */
async function standIn(page) {
  const { items } = await api(page, '/registers/duty');
  const person = items.find(({ entry }) => entry.role === '县值班').entry.person;
  const today = await page.getAttribute('.day-today', 'data-day');
  const day = (n) => new Date(Date.parse(today) + n * 86_400_000).toISOString().slice(0, 10);
  await page.click('.day-today .day-add');
  await page.fill('[data-field="date"]', day(60));
  await page.selectOption('[data-field="role"]', '县值班');
  await page.fill('[data-field="person"]', person);
  await page.fill('[data-field="last_day"]', day(62));
  await accessible(page, 'a new shift');
  await toReview(page, '[data-action="look"]');
  if ((await page.locator('.change-new').count()) !== 3) throw new Error('three days are not three new rows');
  await commit(page, WHY);
  const added = (await api(page, '/registers/duty')).items.filter(({ entry }) => entry.date >= day(60) && entry.date <= day(62));
  if (added.length !== 3) throw new Error(`${added.length} shifts were registered`);
  await takeBack(page);
}

/** A colleague is faster: the page says who, keeps what was typed, and puts it on top of the newest entry. */
async function beOvertaken(page) {
  const key = await page.getAttribute('.entries tbody tr', 'data-key');
  const before = await row(page, 'people', key);
  await page.click('.entries .name');
  await page.fill('[data-field="phone"]', '13900000097');
  await toReview(page, '[data-action="look"]');
  await page.evaluate(async (id) => {
    const path = '/api/v1/registers/people';
    const { items, seen } = await (await fetch(path)).json();
    const { entry } = items.find((it) => it.key === id);
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() };
    await fetch(path, { method: 'POST', headers, body: JSON.stringify({ set: [{ ...entry, village: '新并村' }], seen, why: '并村' }) });
  }, key);
  await page.fill('#why', WHY);
  await page.click('[data-action="commit"]');
  await page.waitForSelector('[data-action="look-again"]', { timeout: ANSWER_MS });
  if (!(await page.textContent('.review .refused')).includes('并村')) throw new Error('the page does not say who was faster and why');
  await shot(page, '38-registers-overtaken');
  await accessible(page, 'a change that somebody was faster than');
  await page.click('[data-action="look-again"]');
  await page.waitForSelector('[data-action="commit"]', { timeout: ANSWER_MS });
  const columns = await page.locator('.review .change dt').allTextContents();
  if (columns.join() !== '电话') throw new Error(`looked at again, it would change ${columns.join()}`);
  await commit(page, WHY);
  const after = await row(page, 'people', key);
  if (after.phone !== '13900000097' || after.village !== '新并村') throw new Error('the two changes are not both in the register');
  await takeBack(page);
  if ((await row(page, 'people', key)).phone !== before.phone) throw new Error('the number was not taken back');
}

/** A mistyped number is refused beside its field and stays typed; the right one is taken with a reason. */
async function correctPhone(page) {
  await page.click('[data-register="people"]');
  await page.waitForSelector('.entries tbody tr', { timeout: ANSWER_MS });
  await fits(page, 'people');
  const key = await page.getAttribute('.entries tbody tr', 'data-key');
  const before = await row(page, 'people', key);
  await page.fill('.search', before.phone);
  await until('the search finds the number', ANSWER_MS, async () => (await page.locator('.entries tbody tr').count()) === 1);
  await page.keyboard.press('Tab');
  await page.click('.entries .name');
  await page.fill('[data-field="phone"]', '12');
  await page.click('[data-action="look"]');
  await page.waitForSelector('.input-wrong [data-field="phone"]', { timeout: ANSWER_MS });
  await shot(page, '33-registers-refused');
  await accessible(page, 'a refused phone number');
  await page.fill('[data-field="phone"]', '139-0000-0099');
  await toReview(page, '[data-action="look"]');
  await accessible(page, 'a phone number before it is changed');
  await fits(page, 'review');
  await commit(page, WHY);
  if ((await row(page, 'people', key)).phone !== '13900000099') throw new Error('the number was not changed');
  await takeBack(page);
  if ((await row(page, 'people', key)).phone !== before.phone) throw new Error('the number was not taken back');
  await page.fill('.search', '');
}

/** Rows as they are copied out of a spreadsheet: what is usable, and what is not, before anything is taken. */
async function bringSheet(page) {
  await page.click('[data-action="bring"]');
  await page.fill('#pasted', '编号\t姓名\t电话\t岗位\nzz1\t新来的\t139-0000-0098\t县值班员\nzz2\t没号码的\t12\t县值班员\n');
  await accessible(page, 'an import');
  await toReview(page, '[data-action="read-sheet"]');
  await page.waitForSelector('[data-rejected="1"]');
  await shot(page, '34-registers-import');
  await accessible(page, 'an import before it is made');
  await commit(page, WHY);
  if ((await row(page, 'people', 'zz1'))?.phone !== '13900000098') throw new Error('the new row is not in the register');
  await takeBack(page);
  if (await row(page, 'people', 'zz1')) throw new Error('the import was not taken back');
}

async function readChanges(page) {
  await page.click('[data-action="history"]');
  await page.waitForSelector('.made-one', { timeout: ANSWER_MS });
  await shot(page, '37-registers-history');
  await accessible(page, 'the changes of a register');
  if (!(await page.textContent('.made-one')).includes('撤销')) throw new Error('the newest change is not the one that was taken back');
}

/** As it was at the end of yesterday: to look at only. */
async function lookBack(page) {
  const yesterday = await page.getAttribute('.as-of input', 'max');
  await page.fill('.as-of input', yesterday);
  await page.waitForSelector('.note-then', { timeout: ANSWER_MS });
  if ((await page.locator('[data-action="add"]').count()) !== 0) throw new Error('yesterday can be changed');
  await accessible(page, 'a register as it was');
  await page.click('.note-then .link');
  await page.waitForSelector('.note-then', { state: 'detached', timeout: ANSWER_MS });
}
