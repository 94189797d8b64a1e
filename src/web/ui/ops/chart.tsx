/** Scores over time with the thresholds as lines: solid in force, dashed in trial. */
import { effect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { date } from '../shared/describe';
import { lang } from '../shared/lang';
import { hourMinute, ms } from '../shared/time';
import { classes } from '../shared/ui';
import { common } from '../shared/words';
import { current, draft, failedAt, hours, scores, type Scores } from './state';
import { words } from './words';

const SMOKE = '#3a434b';
const FIRE = '#9b1c14';
const HEIGHT = 190;
const GRADES = [0, 0.2, 0.4, 0.6, 0.8, 1];
const FONT = "12px 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif";

function columns({ items }: Scores): uPlot.AlignedData {
  return [items.map((it) => ms(it.captured_at) / 1000), items.map((it) => it.smoke), items.map((it) => it.fire)];
}

/** Horizontal lines drawn on top: uPlot has no series of its own for a constant. */
function limits(plot: uPlot): void {
  const [live, trial] = [current.peek(), draft.peek()];
  if (!live || !trial) return;
  const { ctx, bbox } = plot;
  const line = (value: number, colour: string, dashed: boolean): void => {
    const y = Math.round(plot.valToPos(value, 'y', true)) + 0.5;
    ctx.save();
    ctx.strokeStyle = colour;
    ctx.lineWidth = devicePixelRatio * 1.5;
    ctx.setLineDash(dashed ? [6 * devicePixelRatio, 4 * devicePixelRatio] : []);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  };
  line(live.smoke, SMOKE, false);
  line(live.fire, FIRE, false);
  if (trial.smoke !== live.smoke) line(trial.smoke, SMOKE, true);
  if (trial.fire !== live.fire) line(trial.fire, FIRE, true);
}

function options(width: number): uPlot.Options {
  const w = words();
  const axis = { stroke: '#59636c', font: FONT, grid: { stroke: '#e6eaed', width: 1 }, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: true, y: false } },
    scales: { y: { range: [0, 1] } },
    axes: [
      { ...axis, size: 26, values: (_, ticks) => ticks.map((t) => (hours.peek() > 24 ? date(t * 1000) : hourMinute(t * 1000))) },
      { ...axis, size: 34, splits: () => GRADES, values: (_, ticks) => ticks.map((t) => t.toFixed(1)) },
    ],
    series: [
      {},
      { label: w.smoke, stroke: SMOKE, width: 1.25, fill: 'rgba(58, 67, 75, 0.08)', points: { show: false } },
      { label: w.fire, stroke: FIRE, width: 1.25, points: { show: false } },
    ],
    hooks: { draw: [limits] },
  };
}

export function Chart({ name }: { name: string }) {
  const box = useRef<HTMLDivElement>(null);
  const language = lang.value;
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const plot = new uPlot(options(element.clientWidth), [[], [], []], element);
    const stops = [
      effect(() => plot.setData(scores.value ? columns(scores.value) : [[], [], []])),
      effect(() => {
        void [draft.value, current.value];
        plot.redraw(false);
      }),
    ];
    const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      stops.forEach((stop) => stop());
      resized.disconnect();
      plot.destroy();
    };
  }, [language]);
  const w = words();
  const points = scores.value?.items.length ?? 0;
  const failed = failedAt('scores');
  return (
    <div class="chart-frame">
      <div class="chart" ref={box} role="img" aria-label={w.chart(name)} data-points={points} />
      {points === 0 && (
        <p class={classes('chart-none', failed && 'chart-failed')} role="status">
          {scores.value ? w.noScores : (failed ?? common().loading)}
        </p>
      )}
    </div>
  );
}
