import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { half, lang } from '../shared/lang';
import { en as commonEn } from '../shared/words/en';
import { zh as commonZh } from '../shared/words/zh';
import { en as officeEn } from '../office/words/en';
import { zh as officeZh } from '../office/words/zh';
import { en as becauseEn, zh as becauseZh } from '../office/words/because';
import { en as noticeEn, zh as noticeZh } from '../office/words/notice';
import { en as shiftEn, zh as shiftZh } from '../office/words/shift';
import { en as stripEn, zh as stripZh } from '../office/words/strip';
import { en as countiesEn } from '../counties/words/en';
import { zh as countiesZh } from '../counties/words/zh';
import { en as opsEn } from '../ops/words/en';
import { zh as opsZh } from '../ops/words/zh';
import { en as registersEn } from '../registers/words/en';
import { zh as registersZh } from '../registers/words/zh';
import { en as rangerEn } from '../ranger/words/en';
import { zh as rangerZh } from '../ranger/words/zh';

const dictionaries: [string, object, object][] = [
  ['common', commonZh, commonEn],
  ['office', officeZh, officeEn],
  ['because', becauseZh, becauseEn],
  ['notice', noticeZh, noticeEn],
  ['shift', shiftZh, shiftEn],
  ['strip', stripZh, stripEn],
  ['ops', opsZh, opsEn],
  ['counties', countiesZh, countiesEn],
  ['ranger', rangerZh, rangerEn],
  ['registers', registersZh, registersEn],
];

function keys(value: object, path = ''): string[] {
  return Object.entries(value).flatMap(([key, it]) => (it !== null && typeof it === 'object' ? keys(it as object, `${path}${key}.`) : [`${path}${key}`]));
}
function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'function') return [String(value)];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(strings) : [];
}
function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'words' || entry.name === 'generated' ? [] : sources(path);
    return /\.(tsx?|css|html)$/.test(entry.name) ? [path] : [];
  });
}

const CJK = /[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]/;
const EMOJI = /\p{Extended_Pictographic}/u;
const root = join(__dirname, '..');

describe.each(dictionaries)('%s dictionary', (_, zh, en) => {
  it('has the same keys in both languages', () => expect(keys(en)).toEqual(keys(zh)));
  it('has no empty and no pictographic words', () => {
    for (const word of [...strings(zh), ...strings(en)]) {
      expect(word).not.toBe('');
      expect(EMOJI.test(word), word).toBe(false);
    }
  });
});

describe('delivery', () => {
  /** After the server's answer to the ranger's own phone: that is a receipt. A gateway's answer is none. */
  const receipts = ['ranger.allSent', 'ranger.delivered'];
  const named = (value: object, path: string): [string, string][] =>
    Object.entries(value).flatMap(([key, it]): [string, string][] =>
      it !== null && typeof it === 'object' ? named(it as object, `${path}.${key}`) : [[`${path}.${key}`, String(it)]],
    );
  it('is claimed of a receipt only', () => {
    const claims = dictionaries.flatMap(([name, zh, en]) => [...named(zh, name), ...named(en, name)]).filter(([, word]) => /送达|delivered/i.test(word.replace(/未送达|not delivered/gi, '')));
    expect([...new Set(claims.map(([path]) => path))].sort()).toEqual(receipts);
  });
});

describe('sources', () => {
  it('hold no Chinese outside the dictionaries', () => {
    const files = ['shared', 'office', 'wall', 'ranger', 'ops', 'counties', 'registers', 'sw'].flatMap((folder) => sources(join(root, folder)));
    const pages = readdirSync(root).filter((name) => name.endsWith('.html')).map((name) => join(root, name));
    const found = [...files, ...pages].filter((path) => CJK.test(readFileSync(path, 'utf8')));
    expect(found).toEqual([]);
  });
});

describe('what the server keeps in both languages', () => {
  it('is read in one', () => {
    const why = '网关不应答：timed out / the gateway does not answer: timed out';
    lang.value = 'zh';
    expect([half(why), half('502')]).toEqual(['网关不应答：timed out', '502']);
    lang.value = 'en';
    expect(half(why)).toBe('the gateway does not answer: timed out');
    lang.value = 'zh';
  });
});
