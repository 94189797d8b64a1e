import { unlock } from '../shared/sound';
import { switchLang } from '../shared/lang';
import { Cross, Tick } from '../shared/icons';
import { gpsProblem } from './gps';
import { once } from './ring';
import { connected, kept } from './state';
import { offline } from './worker';
import { words } from './words';

export function Settings() {
  const w = words();
  const checks: [keyof typeof w.check, boolean][] = [
    ['server', connected.value],
    ['offline', offline.value === 'ready'],
    ['gps', window.isSecureContext && !gpsProblem.value],
    ['storage', 'indexedDB' in window && kept.value],
  ];
  return (
    <div class="list settings">
      <h1>{w.selfCheck}</h1>
      <ul>
        {checks.map(([name, ok]) => (
          <li key={name} class="record check">
            <span>{w.check[name]}</span>
            <b class={ok ? 'good' : 'bad'}>
              {ok ? <Tick /> : <Cross />} {ok ? w.yes : w.no}
            </b>
          </li>
        ))}
      </ul>
      <button type="button" class="secondary" onClick={() => void unlock().then(once)}>
        {w.testSound}
      </button>
      <button type="button" class="secondary" onClick={switchLang} data-action="language">
        {w.language}: {w.languageOther}
      </button>
      <p class="quiet">{w.battery}</p>
    </div>
  );
}
