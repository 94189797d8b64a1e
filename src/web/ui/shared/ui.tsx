/** Small pieces every face shares. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Copy, MarkIcon } from './icons';
import type { Mark } from './incident';
import { lang, switchLang } from './lang';
import { clockTime } from './time';
import { common } from './words';
import type { Bbox } from './types';

const SKELETON_MS = 1000;

export const classes = (...names: (string | false | null | undefined)[]): string => names.filter(Boolean).join(' ');

export function DrillWord({ drill }: { drill: boolean }) {
  return drill ? <span class="drill">{common().drill}</span> : null;
}

export function StateWord({ mark, word }: { mark: Mark; word: string }) {
  return (
    <span class={`state mark-${mark}`}>
      <MarkIcon mark={mark} /> {word}
    </span>
  );
}

export function LanguageButton({ class: name }: { class?: string }) {
  const w = common();
  return (
    <button type="button" class={name} onClick={switchLang} title={w.languageHint} lang={lang.value === 'zh' ? 'en' : 'zh'}>
      {w.language}
    </button>
  );
}

export function CopyButton({ text }: { text: string }) {
  const w = common();
  const [done, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    await copyText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <button type="button" class="link" onClick={copy}>
      <Copy size={13} /> {done ? w.copied : w.copy}
    </button>
  );
}

/** The clipboard API wants HTTPS; the old way works on the office's plain-HTTP network too. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

/** A detection's box over its frame; fractions of the picture, so it fits any size. */
export function BoxOverlay({ bbox: [x, y, w, h], caption }: { bbox: Bbox; caption?: string }) {
  const percent = (value: number): string => `${value * 100}%`;
  return (
    <span class="bbox" style={{ left: percent(x), top: percent(y), width: percent(w), height: percent(h) }}>
      {caption && <b>{caption}</b>}
    </span>
  );
}

/** What could not be read, since when, and the way to try again. */
export function Failed({ words, since, retry }: { words: string; since?: number | undefined; retry: () => void }) {
  return (
    <div class="failed" role="alert">
      <p>{words}</p>
      {since ? <p>{common().brokenSince(clockTime(since))}</p> : null}
      <button type="button" class="button" onClick={retry}>
        {common().retry}
      </button>
    </div>
  );
}

/** Bare shapes for the first second, then the word: a page that only shimmers tells nobody that it waits. */
export function Loading({ children }: { children?: ComponentChildren }) {
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), SKELETON_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="loading" aria-busy="true">
      {long || !children ? <p role="status">{common().loading}</p> : null}
      {children}
    </div>
  );
}

export function Field({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="field">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
