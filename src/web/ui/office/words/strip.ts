/** Words of the strip's player. */
import { dictionary } from '../../shared/lang';

export const zh = {
  title: '过程图',
  none: '没有告警前后的画面',
  failed: '过程图读不到',
  gone: '这张画面已清除或读不到',
  play: '播放',
  pause: '暂停',
  back: '后退一张',
  forward: '前进一张',
  difference: '变化',
  differenceHint: '与第一张相比的变化，越亮变化越大',
  region: '近景',
  regionHint: '烟火处原始像素',
  box: '框',
  shown: (source: string, at: number, of: number) => `${source} 过程图 第${at}张，共${of}张`,
  seconds: (seconds: number) => (seconds === 0 ? '告警时' : seconds < 0 ? `告警前${-seconds}秒` : `告警后${seconds}秒`),
  score: (score: number | null) => (score === null ? '此处未见烟火' : `得分${score.toFixed(2)}`),
  graph: '得分随时间的变化',
  now: '现在',
  others: '还看得到此处的摄像机',
  km: (metres: number) => `${(metres / 1000).toFixed(1)}公里`,
};

export const en: typeof zh = {
  title: 'Before and after',
  none: 'No pictures from before and after the alarm',
  failed: 'The pictures around the alarm cannot be read',
  gone: 'This picture has been removed or cannot be read',
  play: 'Play',
  pause: 'Pause',
  back: 'One picture back',
  forward: 'One picture forward',
  difference: 'Change',
  differenceHint: 'Change since the first picture: the brighter, the greater',
  region: 'Close-up',
  regionHint: 'The smoke at full resolution',
  box: 'Box',
  shown: (source, at, of) => `${source}, picture ${at} of ${of} around the alarm`,
  seconds: (seconds) => (seconds === 0 ? 'at the alarm' : seconds < 0 ? `${-seconds} s before` : `${seconds} s after`),
  score: (score) => (score === null ? 'nothing seen here' : `score ${score.toFixed(2)}`),
  graph: 'Score over time',
  now: 'Now',
  others: 'Other cameras that look there',
  km: (metres) => `${(metres / 1000).toFixed(1)} km`,
};

export const stripWords = dictionary(zh, en);
