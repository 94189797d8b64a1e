/** The engineer looks at a camera from its form, and aims it by two places that are known. */
import { accessible, shot } from './browser.mjs';

/** The program looks for 25 s at most. */
const VISIT_MS = 35_000;
const ANSWER_MS = 15_000;
/** Where in the picture is pressed, shares of its width. */
const PRESSED = [0.1, 0.9];
const AWAY_M = 4000;

const rad = (deg) => (deg * Math.PI) / 180;
const deg = (angle) => (angle * 180) / Math.PI;

/** The place that far away in a direction; flat is near enough here. */
function away({ lat, lon }, azimuthDeg) {
  const [north, east] = [Math.cos(rad(azimuthDeg)) * AWAY_M, Math.sin(rad(azimuthDeg)) * AWAY_M];
  return `${(lat + north / 111_195).toFixed(6)}, ${(lon + east / (111_195 * Math.cos(rad(lat)))).toFixed(6)}`;
}

export async function aimCamera(page) {
  await page.goto(new URL('/registers#cameras', page.url()).href);
  await page.waitForSelector('.entries tbody tr', { timeout: ANSWER_MS });
  await page.click('.entries .name');
  await page.click('[data-action="visit"]');
  await page.waitForSelector('.visit-picture img', { timeout: VISIT_MS });
  const cell = async (column) => Number(await page.inputValue(`[data-field="${column}"]`));
  const mast = { lat: await cell('latitude'), lon: await cell('longitude') };
  const before = { azimuth: await cell('azimuth'), field: await cell('fieldofview') };
  const box = await page.locator('.visit-picture img').boundingBox();
  for (const [at, x] of PRESSED.entries()) {
    await page.click('.visit-picture', { position: { x: box.width * x, y: box.height / 2 } });
    const aside = deg(Math.atan((2 * x - 1) * Math.tan(rad(before.field / 2))));
    await page.fill(`[data-point="${at}"]`, away(mast, before.azimuth + aside));
  }
  await page.click('[data-action="aim"]');
  await page.waitForSelector('[data-action="take-aim"]', { timeout: ANSWER_MS });
  await shot(page, '37-camera-aimed');
  await accessible(page, 'a camera that is aimed');
  await page.click('[data-action="take-aim"]');
  const after = { azimuth: await cell('azimuth'), field: await cell('fieldofview') };
  const turned = Math.abs(((after.azimuth - before.azimuth + 540) % 360) - 180);
  if (turned > 1 || Math.abs(after.field - before.field) > 1) {
    throw new Error(`a camera that looks to ${before.azimuth}° (${before.field}° wide) was aimed at ${after.azimuth}° (${after.field}°)`);
  }
}
