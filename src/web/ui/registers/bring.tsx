/** A sheet of the office: pasted or a file. The server reads it line by line; nothing is taken before it was seen. */
import { useState } from 'preact/hooks';
import { Cross } from '../shared/icons';
import { bringing, busy, chosen, look, plan, refusal, show } from './state';
import { words } from './words';

export function Bring() {
  const w = words();
  const [text, setText] = useState('');
  const [file, setFile] = useState<File | null>(null);
  const [replace, setReplace] = useState(false);
  const isReady = file !== null || text.trim() !== '';
  const see = (): void => void look(bringing(file ?? new Blob([text]), file?.name ?? '', replace));
  const isMap = chosen.value === 'grids';
  return (
    <form
      class="bring"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady) see();
      }}
    >
      <header class="pane-head">
        <h2>{w.bringInto(w.of[chosen.value]!)}</h2>
        <button type="button" class="icon-button" aria-label={w.close} title={w.close} onClick={() => show(null)}>
          <Cross />
        </button>
      </header>
      <div class="pane-scroll">
        {!isMap && (
          <div class="input">
            <label for="pasted">{w.paste}</label>
            <textarea id="pasted" rows={10} spellcheck={false} disabled={file !== null} placeholder={w.pasteHint} value={text} onInput={(event) => setText(event.currentTarget.value)} />
          </div>
        )}
        <div class="file">
          {/* The browser's own words may be in another language than the page. */}
          <label class="button">
            {isMap ? w.file : w.orFile}
            <input type="file" class="visually-hidden" data-action="file" accept=".xlsx,.xls,.ods,.csv,.txt,.geojson,.json" onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)} />
          </label>
          <small>{file ? w.chosenFile(file.name, Math.ceil(file.size / 1000)) : w.fileHint}</small>
          {file && (
            <button type="button" class="link" onClick={() => setFile(null)}>
              {w.noFile}
            </button>
          )}
        </div>
        <label class="tick">
          <input type="checkbox" checked={replace} onChange={(event) => setReplace(event.currentTarget.checked)} />
          <span>
            {w.replace} <small>{w.replaceHint}</small>
          </span>
        </label>
        {refusal.value && !plan.value && (
          <p class="refused" role="alert">
            {refusal.value.words}
          </p>
        )}
      </div>
      <footer class="pane-foot">
        <button type="submit" class="button button-blue" data-action="read-sheet" disabled={!isReady || busy.value}>
          {busy.value ? w.reading : w.readSheet}
        </button>
      </footer>
    </form>
  );
}
