/** The engineer's part of the story. */
import { accessible, api, shot, until } from './browser.mjs';

const ANSWER_MS = 15_000;

export async function tune(page) {
  await page.waitForSelector('.cameras tbody tr');
  await until('the cameras show their last frames', ANSWER_MS, () => page.evaluate(() => [...document.querySelectorAll('.frame img')].some((img) => img.naturalWidth > 0)));
  await until('a camera shows its last scores', ANSWER_MS, async () => (await page.locator('.score-bar').count()) >= 2);
  await until('the chart has scores', ANSWER_MS, async () => Number(await page.getAttribute('.chart', 'data-points')) > 0);
  await whatIf(page, 0.62);
  await shot(page, '19-ops');
  await accessible(page, 'the ops page');
  await choosePoint(page);
  await page.click('.header button.header-button');
  await page.waitForFunction(() => document.documentElement.lang === 'en');
  await whatIf(page, 0.4);
  await shot(page, '20-ops-english');
  await accessible(page, 'the ops page in English');
}

/** A model with operating points offers all three, and choosing one fills the trial; a model without offers none. */
async function choosePoint(page) {
  const { points, camera_sends_after_s: sendsAfter } = await api(page, '/ops/thresholds');
  const offered = await page.locator('[data-point]').count();
  if (offered !== (points ? 3 : 0)) throw new Error(`${offered} operating points are offered`);
  if (!points) return;
  if ((await page.locator('[data-sends]').count()) !== (sendsAfter === null ? 0 : 1)) throw new Error('the page does not say whether cameras send without a person');
  await page.click('[data-point="quiet"]');
  await page.waitForSelector('[data-point="quiet"][aria-pressed="true"]');
  await until('the trial holds the point', ANSWER_MS, async () => Math.abs(Number(await page.inputValue('#slider-evidence')) - points.quiet.evidence) < 0.06);
  await until('the what-if answers for the point', ANSWER_MS, async () => (await page.locator('[data-what-if="done"]').count()) === 1);
  await shot(page, '22-ops-point');
  await accessible(page, 'the ops page with a point chosen');
}

/** Moves the slider and waits for the sentence that names the new value. */
async function whatIf(page, value) {
  await page.fill('#slider-smoke', String(value));
  const answered = async () => {
    const sentence = page.locator('[data-what-if="done"]');
    return (await sentence.count()) === 1 && (await sentence.textContent()).includes(value.toFixed(2));
  };
  await until(`the what-if sentence answers for ${value}`, ANSWER_MS, answered);
}
