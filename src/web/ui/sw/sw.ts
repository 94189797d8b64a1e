/**
 * Keeps the ranger's page and its pictures in the phone, so that a reload without signal works. It holds no outbox:
 * taps are the page's, in IndexedDB, and are sent by the page.
 */
export {};
declare const self: ServiceWorkerGlobalScope;
declare const __ASSETS__: string[];
declare const __VERSION__: string;

const PAGE = '/ranger';
const SHELL = `shell-${__VERSION__}`;
const PICTURES = 'pictures';
/** At 15 kB a crop this is under a megabyte. */
const PICTURES_KEPT = 60;

self.addEventListener('install', (event) => {
  event.waitUntil(install().then(() => self.skipWaiting()));
});

async function install(): Promise<void> {
  const cache = await caches.open(SHELL);
  await cache.addAll([...__ASSETS__, '/assets/icon.svg']);
  const page = await fetch(PAGE, { credentials: 'same-origin', cache: 'reload' });
  // Signed out, this address answers with the login page: that must never be the offline page.
  if (!page.ok || page.redirected || !(await page.clone().text()).includes('data-face="ranger"')) throw new Error('not the ranger page');
  await cache.put(PAGE, page);
}

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== SHELL && name !== PICTURES).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    if (pathname === PAGE) event.respondWith(cached(SHELL, PAGE, request));
  } else if (pathname.startsWith('/assets/')) event.respondWith(cached(SHELL, pathname, request));
  else if (pathname.startsWith('/api/v1/pictures/')) event.respondWith(picture(request));
});

async function cached(cache: string, key: string, request: Request): Promise<Response> {
  return (await kept(cache, key)) ?? fetch(request);
}

/** Without a disk everything comes from the network. */
async function kept(cache: string, key: string): Promise<Response | undefined> {
  try {
    return await (await caches.open(cache)).match(key);
  } catch {
    return undefined;
  }
}

/** A picture never changes under its id. */
async function picture(request: Request): Promise<Response> {
  const known = await kept(PICTURES, request.url);
  if (known) return known;
  const response = await fetch(request);
  if (response.ok) await keep(request, response.clone()).catch(() => undefined);
  return response;
}

async function keep(request: Request, response: Response): Promise<void> {
  const cache = await caches.open(PICTURES);
  await cache.put(request.url, response);
  const keys = await cache.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - PICTURES_KEPT)).map((key) => cache.delete(key)));
}
