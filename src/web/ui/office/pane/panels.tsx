/** Choosing a reason, writing a note. Reasons are chips, number keys pick them. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { board } from '../../shared/board';
import { category } from '../../shared/describe';
import { classes } from '../../shared/ui';
import { act } from '../desk';
import { words } from '../words';
import type { Incident } from '../../shared/types';

interface ChipsProps {
  title: string;
  options: [value: string, word: string][];
  /** Whether the first option is the expected one and takes the focus. */
  preferred?: boolean;
  onChoose: (value: string, word: string) => void;
}

export function Chips({ title, options, preferred = false, onChoose }: ChipsProps) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (preferred) box.current?.querySelector('button')?.focus();
    const onKey = (event: KeyboardEvent): void => {
      const option = /^Digit[1-9]$/.test(event.code) && !event.ctrlKey && !event.altKey ? options[Number(event.code.slice(5)) - 1] : undefined;
      if (!option || (event.target as HTMLElement).tagName === 'TEXTAREA') return;
      event.preventDefault();
      onChoose(...option);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <div class="panel" ref={box} role="group" aria-label={title}>
      <p class="panel-title">{title}</p>
      <div class="chips">
        {options.map(([value, word], i) => (
          <button key={value} type="button" class={classes('chip', preferred && i === 0 && 'chip-first')} data-value={value} onClick={() => onChoose(value, word)}>
            {i < 9 && <kbd>{i + 1}</kbd>} {word}
          </button>
        ))}
      </div>
    </div>
  );
}

/** Closing. What was last reported as not out is asked for twice, with the words that stand in the record. */
export function ClosePanel({ incident }: { incident: Incident }) {
  const w = words();
  const categories = board.value?.categories ?? [];
  const [text, setText] = useState('');
  const [said, setSaid] = useState('');
  if (incident.verification?.extinguished === false && !said) {
    return (
      <div class="panel">
        <p class="panel-title warn">{w.stillBurning}</p>
        <textarea rows={2} maxLength={500} aria-label={w.stillBurning} placeholder={w.stillBurningPlaceholder} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <button type="button" class="button button-wide" data-action="close-anyway" disabled={!text.trim()} onClick={() => setSaid(text.trim())}>
          {w.closeAnyway}
        </button>
      </div>
    );
  }
  const reported = incident.verification?.category;
  const final = categories.filter((it) => !it.interim);
  const first = final.filter((it) => it.code === reported);
  return (
    <Chips
      title={w.categoryFor}
      options={[...first, ...final.filter((it) => it.code !== reported)].map((it) => [String(it.code), category(it.code, categories)])}
      preferred={first.length > 0}
      onChoose={(code, word) => act(incident, 'close', { category: Number(code), words: said }, w.closeAs(word), true)}
    />
  );
}

export function NotePanel({ incident }: { incident: Incident }) {
  const w = words();
  const [text, setText] = useState('');
  const area = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => area.current?.focus(), []);
  return (
    <div class="panel">
      <textarea ref={area} rows={2} maxLength={500} aria-label={w.note} placeholder={w.notePlaceholder} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      <button type="button" class="button button-wide" disabled={!text.trim()} onClick={() => act(incident, 'note', { words: text.trim() }, w.note)}>
        {w.save}
      </button>
    </div>
  );
}
