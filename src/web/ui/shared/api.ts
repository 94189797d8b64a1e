/** One way in and out of `/api/v1`: JSON, problem details, idempotency keys. */
import { elapsed, learn } from './clock';
import { lang } from './lang';
import type { Time } from './types';

const BASE = '/api/v1';
const TIMEOUT_MS = 15_000;

/** What went wrong, in a sentence the server or the dictionary wrote. `status` 0: no answer came. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** `crypto.randomUUID` is newer than our oldest phones and absent without HTTPS. */
export function uuid(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

export interface Sending {
  key?: string;
  /** Lets the request outlive the page. */
  keepalive?: boolean;
  type?: string;
  timeoutMs?: number;
}

async function call<T>(method: string, path: string, body?: unknown, how: Sending = {}): Promise<T> {
  const headers: Record<string, string> = { 'Accept-Language': lang.value === 'zh' ? 'zh-CN' : 'en' };
  if (method !== 'GET') headers['Idempotency-Key'] = how.key ?? uuid();
  if (body !== undefined) headers['Content-Type'] = how.type ?? 'application/json';
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), how.timeoutMs ?? TIMEOUT_MS);
  try {
    const response = await fetch(BASE + path, {
      method,
      headers,
      signal: abort.signal,
      keepalive: how.keepalive ?? false,
      ...(body === undefined ? {} : { body: body instanceof Blob ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw problem(response.status, text);
    return (text ? JSON.parse(text) : undefined) as T;
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(0, 'unreachable', '');
  } finally {
    clearTimeout(timer);
  }
}

function problem(status: number, text: string): Problem {
  try {
    const details = JSON.parse(text) as { code?: string; detail?: string; title?: string };
    return new Problem(status, details.code ?? 'internal', details.detail ?? details.title ?? '');
  } catch {
    return new Problem(status, 'internal', '');
  }
}

export const get = <T>(path: string): Promise<T> => call<T>('GET', path);
export const post = <T>(path: string, body: unknown, how?: Sending): Promise<T> => call<T>('POST', path, body, how);

/** A GET whose answer carries the server's `now`. */
export async function getTimed<T extends { now: Time }>(path: string): Promise<T> {
  const sentAt = elapsed();
  const answer = await get<T>(path);
  learn(answer.now, elapsed() - sentAt);
  return answer;
}

export const pictureUrl = (id: string, crop = false): string => `${BASE}/pictures/${encodeURIComponent(id)}${crop ? '?crop=1' : ''}`;
export type StripShow = 'region' | 'difference';
/** One picture of a strip: whole, the smoke at real pixels, or what has changed since the first. */
export const stripUrl = (incident: string, sighting: string, picture: string, show: StripShow | null): string =>
  `${BASE}/incidents/${incident}/sightings/${sighting}/strip/${encodeURIComponent(picture)}${show ? `?show=${show}` : ''}`;
/** Why a picture does not show: the server's sentence when it has been removed for good, else nothing. */
export async function whyGone(id: string): Promise<string> {
  // Its head first: what only failed for a moment is not fetched again to be thrown away.
  const head = await fetch(pictureUrl(id), { method: 'HEAD' }).catch(() => null);
  if (head?.status !== 410) return '';
  return get(`/pictures/${encodeURIComponent(id)}`).then(
    () => '',
    (why: unknown) => (why instanceof Problem ? why.message : ''),
  );
}
export const selfTestUrl = (camera: string, stamp: string): string => `${BASE}/cameras/${encodeURIComponent(camera)}/self-test?t=${encodeURIComponent(stamp)}`;
export const viewUrl = (camera: string, view: number, stamp: string): string =>
  `${BASE}/cameras/${encodeURIComponent(camera)}/views/${view}?t=${encodeURIComponent(stamp)}`;
export const frameUrl = (camera: string, stamp: string | null): string =>
  `${BASE}/cameras/${encodeURIComponent(camera)}/frame?t=${encodeURIComponent(stamp ?? '')}`;
