/** The reader's language: remembered on this device, Chinese until chosen otherwise. */
import { effect, signal } from '@preact/signals';

export type Lang = 'zh' | 'en';
const KEY = 'huoyan.lang';

function initial(): Lang {
  try {
    return localStorage.getItem(KEY) === 'en' ? 'en' : 'zh';
  } catch {
    return 'zh';
  }
}

export const lang = signal<Lang>(initial());

export function switchLang(): void {
  lang.value = lang.value === 'zh' ? 'en' : 'zh';
  try {
    localStorage.setItem(KEY, lang.value);
  } catch {
    // Private mode: the choice lasts as long as the page.
  }
}

/** Keeps `<html lang>` right, for screen readers and for the choice of glyphs. */
export function announceLang(): void {
  effect(() => {
    document.documentElement.lang = lang.value === 'zh' ? 'zh-CN' : 'en';
  });
}

/** The reader's half of what the server keeps in both languages, Chinese ` / ` English. Words of one language are shown whole. */
export function half(text: string): string {
  const at = text.indexOf(' / ');
  if (at < 0) return text;
  return lang.value === 'zh' ? text.slice(0, at) : text.slice(at + 3);
}

/** A dictionary chosen by the language at the time of reading; components that read it follow the switch. */
export const dictionary =
  <T>(zh: T, en: T) =>
  (): T =>
    lang.value === 'zh' ? zh : en;
