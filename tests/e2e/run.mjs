/**
 * One alarm from smoke to closure, through three browsers: officer, ranger, engineer.
 *
 *   HUOYAN_BIN=target/debug/huoyan node tests/e2e/run.mjs
 *
 * Exits 0 when everything held, 1 with a sentence about what did not. SHOTS is the folder for screenshots (default
 * tests/e2e/shots), CHROMIUM the browser (default /usr/bin/chromium).
 */
import { api, accessible, DESK, launch, open, PHONE, shot, TUNING, until } from './browser.mjs';
import { aimCamera } from './cameras.mjs';
import { closeByKeyboard, dismiss, dispatchByKeyboard, drillIsFlagged, inEnglish, recordReport, seesDismissed, seesState, waitForPlume } from './office.mjs';
import { tune } from './ops.mjs';
import { start } from './program.mjs';
import { keepRegisters } from './registers.mjs';
import { moveThePlace, phoneByHand, sortEvidence } from './sorting.mjs';
import { acknowledge, arriveOffline, openIncident, otherPages, report } from './ranger.mjs';

/** An order reaches an open phone within two seconds. */
const PHONE_MS = 2000;
/** A camera of the demo that sees no smoke of its own. */
const DRILL_CAMERA = 'cam05';
/** 农事用火, farm burning, on the official list. */
const FARM_BURNING = 3;

const say = (words) => console.error(`  ${words}`);

async function step(name, work) {
  const from = Date.now();
  try {
    const result = await work();
    console.error(`ok ${name} (${((Date.now() - from) / 1000).toFixed(1)} s)`);
    return result;
  } catch (error) {
    throw new Error(`${name}: ${error.message}`);
  }
}

async function story(program, browser, faults) {
  const { links, startedAt } = program;
  const office = await step('the officer signs in', () => open(browser, links.office, DESK, faults));
  const ranger = await step('the ranger signs in', () => open(browser, links.ranger, PHONE, faults));
  const desk = office.page;
  const phone = ranger.page;
  const id = await step('smoke becomes an incident', () => waitForPlume(desk, startedAt, say));

  // The stand-in of the pages' workbench knows no drills.
  const drill = binary.endsWith('.mjs') ? null : program.drill(DRILL_CAMERA);
  const sentAt = await step('the officer dispatches by keyboard', async () => {
    const { fix } = await api(desk, `/incidents/${id}`);
    await ranger.context.setGeolocation({ latitude: fix.centre.lat_deg + 0.001, longitude: fix.centre.lon_deg, accuracy: 12 });
    return dispatchByKeyboard(desk, id, say);
  });
  await step('the ranger sees it', async () => {
    const seenAt = await openIncident(phone, id, sentAt ? PHONE_MS : PHONE_MS * 5);
    if (sentAt) say(`on the phone ${seenAt - sentAt} ms after the order`);
  });
  await step('the wall calls', async () => {
    const wall = await office.context.newPage();
    await wall.goto(new URL('/wall', desk.url()).href);
    await wall.waitForSelector('[data-tone="alarm"]');
    await shot(wall, '21-wall-alarm');
    await accessible(wall, 'the wall');
    await wall.close();
  });
  await step('the ranger acknowledges', () => acknowledge(phone));
  await step('the board shows it', () => seesState(desk, id, 'acknowledged'));
  await step('the ranger arrives without signal', () => arriveOffline(ranger.context, phone));
  await step('the arrival is delivered exactly once', async () => {
    await seesState(desk, id, 'arrived');
    const { log } = await api(desk, `/incidents/${id}`);
    const arrivals = log.filter(({ event }) => event.type === 'arrived').length;
    if (arrivals !== 1) throw new Error(`the log holds ${arrivals} arrivals`);
  });
  await step('the ranger reports with a photo', () => report(phone, FARM_BURNING));
  await step('the board shows the report and its photo', async () => {
    await seesState(desk, id, 'reported');
    await until('the photo reaches the server', 10_000, async () => (await api(desk, `/incidents/${id}`)).verification.photos.length === 1);
  });
  await step('the officer closes it by keyboard', () => closeByKeyboard(desk, id));
  const told = await step('the officer records a report by phone', () => recordReport(desk));
  await step('the officer sorts evidence and takes it back', () => sortEvidence(desk, told));
  await step('what reached nobody is phoned', () => phoneByHand(desk, told));
  await step('the place moves under way', () => moveThePlace(desk, told));
  await step('the officer calls it a false alarm', () => dismiss(desk));
  await step('the officer keeps the registers', () => keepRegisters(desk, faults));
  if (drill) {
    await step('the drill is an incident that says it is a drill', () => drillIsFlagged(desk));
    drill.kill();
  }
  await step('the office speaks English', () => inEnglish(desk));
  await step('the ranger looks at records and settings', () => otherPages(phone));
  const tuning = await step('the engineer signs in', async () => (await open(browser, links.ops, TUNING, faults)).page);
  await step('the engineer tries a threshold', () => tune(tuning));
  // The stand-in has no cameras.
  if (!binary.endsWith('.mjs')) await step('the engineer looks at a camera and aims it', () => aimCamera(tuning));
  await step('the false alarm is filed', () => seesDismissed(desk, told));
  if (faults.length > 0) throw new Error(`things happened that must not:\n  ${faults.join('\n  ')}`);
}

const binary = process.env.HUOYAN_BIN;
if (!binary) {
  console.error('HUOYAN_BIN is not set: give the path of the huoyan program, for example target/debug/huoyan');
  process.exit(2);
}

let program;
let browser;
const cleanUp = async () => {
  await browser?.close().catch(() => undefined);
  await program?.stop();
};
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void cleanUp().then(() => process.exit(130)));

try {
  program = await step('the program starts', () => start(binary));
  browser = await step('the browser starts', launch);
  await story(program, browser, []);
  console.error('all held');
} catch (error) {
  console.error(`FAILED ${error.message}`);
  if (program) console.error(`the program's last words:\n${program.tail()}`);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
