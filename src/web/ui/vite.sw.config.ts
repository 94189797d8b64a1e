import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { defineConfig } from 'vite';

interface Chunk {
  file: string;
  css?: string[];
  imports?: string[];
}

const dist = 'dist';
const manifest = JSON.parse(readFileSync(`${dist}/.vite/manifest.json`, 'utf8')) as Record<string, Chunk>;

/** Every file the ranger page loads, followed through its imports. */
function filesOf(entry: string, found = new Set<string>()): Set<string> {
  const chunk = manifest[entry];
  if (!chunk || found.has(chunk.file)) return found;
  found.add(chunk.file);
  chunk.css?.forEach((file) => found.add(file));
  chunk.imports?.forEach((name) => filesOf(name, found));
  return found;
}

const assets = [...filesOf('ranger.html')].sort();
// Names of assets carry their hash, so this one hash changes exactly when anything the page needs does.
const version = createHash('sha256')
  .update(readFileSync(`${dist}/ranger.html`))
  .update(assets.join())
  .digest('hex')
  .slice(0, 12);

/** A second pass: as one more input of the first it would share chunks and need a module worker (Chrome 91). */
export default defineConfig({
  define: {
    __ASSETS__: JSON.stringify(assets.map((file) => `/${file}`)),
    __VERSION__: JSON.stringify(version),
  },
  build: {
    target: 'chrome80',
    emptyOutDir: false,
    copyPublicDir: false,
    lib: { entry: 'sw/sw.ts', formats: ['iife'], name: 'sw', fileName: () => 'sw.js' },
  },
});
