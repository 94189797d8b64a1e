/** Facts to words, in the reader's language. */
import { Problem } from './api';
import { azimuthDeg, distanceM } from './geo';
import { bearing, isPlace, measuredM } from './where';
import { clockTime, monthDay, ms, sameDay } from './time';
import { common } from './words';
import { leading } from './incident';
import { lang } from './lang';
import type { Camera, Category, Fix, Incident, Label, LatLon, Sighting, Step, Time } from './types';

export function distance(metres: number): string {
  const w = common();
  if (metres < 950) return w.metres(String(Math.max(10, Math.round(metres / 10) * 10)));
  return w.km((metres / 1000).toFixed(metres < 9950 ? 1 : 0));
}

export const compass = (degrees: number): string => common().compass[Math.round(degrees / 45) % 8] ?? '';

/** Time of day; with the date when it is not today. */
export function stamp(time: Time, now: number): string {
  const at = ms(time);
  return sameDay(at, now) ? clockTime(at) : `${date(at)} ${clockTime(at)}`;
}

export function date(at: number): string {
  const { year, month, day } = monthDay(at);
  return common().date(year, month, day);
}

export type CameraNames = ReadonlyMap<string, Camera>;

export function sourceName(sighting: Sighting, cameras?: CameraNames): string {
  const { source } = sighting;
  switch (source.kind) {
    case 'camera':
      return (cameras?.get(source.camera)?.name ?? source.camera_name ?? source.camera) + presetName(source.pose);
    case 'satellite':
      return `${source.satellite} ${source.instrument}`;
    case 'person':
      return source.who;
    case 'system':
      return `${source.name} ${source.device}`;
    case 'neighbour':
      return common().neighbourNotice(source.county, source.code);
  }
}

/** Which preset of a turning camera it was; nothing for a camera with one view. */
export function presetName(pose: string): string {
  if (pose === 'default') return '';
  return pose.startsWith('?') ? common().unknownView : common().preset(pose);
}

/** Camera with bearing, score and, where the place is one, its distance; or what the satellite measured or the caller said. */
export function evidenceLine(sighting: Sighting, fix: Fix, cameras?: CameraNames): string {
  const w = common();
  const { source, locus } = sighting;
  const name = sourceName(sighting, cameras);
  if (source.kind === 'satellite') {
    const power = source.frp_mw === null ? [] : [w.frp(source.frp_mw.toFixed(1))];
    return [name, w.pixels(source.pixels), ...power].join(w.separator);
  }
  if (source.kind === 'person') return [name, source.words].join(w.separator);
  const seen = source.kind === 'system' && source.alarm?.class ? [source.alarm.class] : [];
  return [...seenFrom(name, locus, fix), ...seen, w.score(sighting.confidence.toFixed(2))].join(w.separator);
}

function seenFrom(name: string, locus: Sighting['locus'], fix: Fix): string[] {
  const w = common();
  if (locus.shape === 'unaimed') return [name, w.noBearing];
  if (locus.shape !== 'sector') return [name];
  const metres = measuredM(locus.apex, fix);
  return [`${name} ${bearing(locus.azimuth_deg)}`, metres === null ? w.rangeUnknown : distance(metres)];
}

export function headlineEvidence(incident: Incident, cameras?: CameraNames): string {
  const sighting = leading(incident);
  return sighting ? evidenceLine(sighting, incident.fix, cameras) : '';
}

export function label(it: Label): string {
  const w = common().label;
  switch (it.label) {
    case 'border':
      return w.border(it.neighbours);
    case 'outside_county':
      return w.outside_county;
    case 'verified_lately':
      return w.verified_lately(it.code);
    case 'static_heat':
      return w.static_heat(it.checks);
    case 'look_alike':
      return w.look_alike(it.code, date(ms(it.closed_at)), it.cause && common().falseAlarm[it.cause]);
    case 'burn_in_ban':
      return w.burn_in_ban(it.name, it.ban);
    case 'no_bearing':
      return w.no_bearing;
    case 'unknown_device':
      return w.unknown_device(it.device);
    default:
      return w[it.label](it.name);
  }
}

export function category(code: number, categories: readonly Category[]): string {
  const found = categories.find((it) => it.code === code);
  return found ? found[lang.value] : String(code);
}

/** How near an arrival was, or why it proves nothing. */
export function arrival({ distance_m, unproven }: Pick<Step, 'distance_m' | 'unproven'>): string {
  const w = common();
  const far = distance_m === null ? '' : away(distance_m);
  return unproven ? w.claimed(w.unproven[unproven], far) : far;
}

/** From where the fire may be; within it is no distance at all. */
export const away = (metres: number): string => (metres < 1 ? common().within : common().away(distance(metres)));

/** How far somebody is from the fire, where the fire's place is one. */
export const distanceTo = (metres: number | null, fix: Fix): string | null => (metres !== null && isPlace(fix) ? distance(metres) : null);

/** From here to there: bearing, compass point, distance. */
export function direction(from: LatLon, to: LatLon): string {
  const azimuth = azimuthDeg(from, to);
  return `${bearing(azimuth)} ${compass(azimuth)} ${distance(distanceM(from, to))}`;
}

export function failure(error: unknown): string {
  const w = common();
  if (!(error instanceof Problem)) return String(error);
  if (error.status === 0) return w.unreachable;
  if (error.status === 401) return w.signedOut;
  return error.message || w.refused(error.status);
}
