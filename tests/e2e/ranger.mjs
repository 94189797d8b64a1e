/** The ranger's part of the story, on a small phone. */
import { accessible, shot, until } from './browser.mjs';

/** New primary buttons are deaf for 1.5 s against double taps. */
const DEAF_MS = 1700;
const DELIVERY_MS = 15_000;

/** The phone opens an only incident by itself; otherwise its card is tapped. */
export async function openIncident(page, id, limitMs) {
  const [opened, listed] = [`.incident[data-id="${id}"]`, `.task[data-id="${id}"]`];
  await until('the ranger sees the dispatched incident', limitMs, () => page.locator(`${opened}, ${listed}`).first().isVisible());
  const seenAt = Date.now();
  if (!(await page.locator(opened).isVisible())) await page.tap(listed);
  await page.waitForSelector(opened);
  await page.waitForSelector('[data-primary="new"]');
  return seenAt;
}

export async function checkButton(page) {
  const box = await page.locator('[data-primary]').boundingBox();
  if (!box || box.height < 88 || box.width < 320 || box.y + box.height / 2 < 740 * 0.6) throw new Error(`the primary button is too small or too high: ${JSON.stringify(box)}`);
}

const stage = (page, name) => page.waitForSelector(`.incident[data-stage="${name}"]`);
const delivered = (page) => until('the outbox empties by itself', DELIVERY_MS, async () => (await page.locator('[data-queued]').count()) === 0);

/** Two taps 300 ms apart on one spot must be one step only. */
export async function acknowledge(page) {
  await page.waitForFunction(() => document.querySelector('.photo img')?.naturalWidth > 0);
  await shot(page, '03-ranger-new');
  await accessible(page, 'the ranger page with a new incident');
  await checkButton(page);
  const { x, y, width, height } = await page.locator('[data-primary="new"]').boundingBox();
  await page.touchscreen.tap(x + width / 2, y + height / 2);
  await stage(page, 'acknowledged');
  await page.waitForTimeout(300);
  await page.touchscreen.tap(x + width / 2, y + height / 2);
  await page.waitForTimeout(300);
  await stage(page, 'acknowledged');
  await delivered(page);
  await shot(page, '04-ranger-acknowledged');
}

/** Arrival without signal: kept over a reload, delivered when the signal is back. */
export async function arriveOffline(context, page) {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.waitForTimeout(DEAF_MS);
  await context.setOffline(true);
  await page.tap('[data-primary="acknowledged"]');
  await stage(page, 'arrived');
  await page.waitForSelector('[data-queued="1"]');
  await shot(page, '05-ranger-offline');
  await accessible(page, 'the ranger page without signal');
  await page.reload();
  await stage(page, 'arrived');
  await page.waitForSelector('[data-queued="1"]');
  await shot(page, '06-ranger-offline-reloaded');
  await context.setOffline(false);
  await delivered(page);
}

export async function report(page, category) {
  await page.tap('[data-primary="arrived"]');
  await page.waitForSelector('.report');
  await shot(page, '07-ranger-report');
  await accessible(page, 'the report screen');
  await page.setInputFiles('input[type="file"]', { name: 'photo.png', mimeType: 'image/png', buffer: await picture(page) });
  const size = await page.locator('.photos figcaption').textContent();
  if (Number.parseInt(size, 10) > 150) throw new Error(`the photo was not shrunk to 150 kB: ${size}`);
  await page.tap(`.choice-big [data-value="${category}"]`);
  await page.locator('[data-value="small"]').tap();
  await page.locator('[data-value="yes"]').tap();
  await shot(page, '08-ranger-report-filled');
  // The camera app may cost the page its life: what was filled in is there again.
  await page.reload();
  await page.waitForSelector('.photos figcaption');
  await page.waitForSelector(`.choice-big [data-value="${category}"][aria-pressed="true"]`);
  await page.tap('[data-primary="submit"]');
  await stage(page, 'reported');
  await delivered(page);
  await shot(page, '09-ranger-reported');
  await accessible(page, 'the ranger page after the report');
}

/** A photo as big as a phone's, made on the spot: sky, hill, noise. */
async function picture(page) {
  const base64 = await page.evaluate(() => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [2400, 1800];
    const draw = canvas.getContext('2d');
    const sky = draw.createLinearGradient(0, 0, 0, 1800);
    sky.addColorStop(0, '#8fb0c8');
    sky.addColorStop(1, '#3f5a42');
    draw.fillStyle = sky;
    draw.fillRect(0, 0, 2400, 1800);
    for (let i = 0; i < 30_000; i++) {
      draw.fillStyle = `hsl(${(i * 37) % 360} 30% ${30 + (i % 40)}% / 40%)`;
      draw.fillRect((i * 7919) % 2400, (i * 104_729) % 1800, 14, 14);
    }
    return canvas.toDataURL('image/png').split(',')[1];
  });
  return Buffer.from(base64, 'base64');
}

export async function otherPages(page) {
  await page.tap('.tabs a[href="#/records"], .top-button');
  await page.evaluate(() => (location.hash = '#/records'));
  await page.waitForSelector('[data-record="delivered"]');
  if ((await page.locator('[data-record="waiting"], [data-record="refused"]').count()) > 0) throw new Error('records are left undelivered');
  await shot(page, '17-ranger-records');
  await accessible(page, 'the records page');
  await page.evaluate(() => (location.hash = '#/settings'));
  await page.tap('[data-action="language"]');
  await page.waitForFunction(() => document.documentElement.lang === 'en');
  await shot(page, '18-ranger-settings-english');
  await accessible(page, 'the settings page in English');
}
