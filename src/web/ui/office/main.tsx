import '../shared/base.css';
import './frame.css';
import './office.css';
import './notices.css';
import './duty.css';
import './pane/pane.css';
import './pane/actions.css';
import './pane/intake.css';
import './pane/case.css';
import { render } from 'preact';
import { problem, readAt, startBoard } from '../shared/board';
import { startTicking } from '../shared/clock';
import { announceLang } from '../shared/lang';
import { stale } from '../shared/stream';
import { clockTime } from '../shared/time';
import { common } from '../shared/words';
import { startAlarm } from './alarm';
import { intakeOpen, selected, startSending } from './desk';
import { LoginBar, ShiftPanel } from './duty';
import { Footer, Help } from './footer';
import { Header, SoundBar } from './header';
import { startIntents } from './intent';
import { startKeys } from './keys';
import { CountyMap } from './map/map';
import { Pane } from './pane/pane';
import { Queue } from './queue';
import { startShiftKeeping } from './shift';
import { startTitle } from './title';

function StaleBar() {
  // After the first answer a failing read is stale data too, not an empty page.
  const broken = stale.value || (problem.value !== null && readAt.value > 0);
  return broken ? (
    <div class="bar bar-grey" role="status">
      {common().staleSince(clockTime(readAt.value))}
      {problem.value && ` ${problem.value}`}
    </div>
  ) : null;
}

function Office() {
  return (
    <div class="office" data-selected={selected.value?.id} data-intake={intakeOpen.value || undefined}>
      <div class="bars">
        <SoundBar />
        <StaleBar />
        <LoginBar />
      </div>
      <Header />
      <main class="desk">
        <Queue />
        <CountyMap />
        <Pane />
      </main>
      <Footer />
      <Help />
      <ShiftPanel />
    </div>
  );
}

announceLang();
startTicking();
startKeys();
startShiftKeeping();
startAlarm();
startSending();
startIntents();
startTitle();
void startBoard();
render(<Office />, document.getElementById('app')!);
