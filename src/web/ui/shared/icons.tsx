/** Every picture word of the pages, inline: no font, no file, no emoji. 16 units square, `currentColor`. */
import type { JSX } from 'preact';
import type { Mark } from './incident';

const icon = (body: JSX.Element, filled = false) =>
  function Icon({ size = 16 }: { size?: number }) {
    return (
      <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false"
        fill={filled ? 'currentColor' : 'none'} stroke={filled ? 'none' : 'currentColor'}
        stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">
        {body}
      </svg>
    );
  };

export const Sound = icon(<path d="M2.5 6v4h2.5l3.5 3V3L5 6zM11 5.5a3.5 3.5 0 0 1 0 5M12.8 3.5a6.3 6.3 0 0 1 0 9" />);
export const Muted = icon(<path d="M2.5 6v4h2.5l3.5 3V3L5 6zM11 6l3.5 4M14.5 6 11 10" />);
export const Target = icon(<path d="M8 1.5v3M8 11.5v3M1.5 8h3M11.5 8h3M8 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z" />);
export const Copy = icon(<path d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3" />);
export const Box = icon(<path d="M2.5 5V2.5H5M11 2.5h2.5V5M13.5 11v2.5H11M5 13.5H2.5V11M5.5 5.5h5v5h-5z" />);
export const Zoom = icon(<path d="M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3l3.7 3.7M7 5v4M5 7h4" />);
export const Left = icon(<path d="M10 3 5 8l5 5" />);
export const Right = icon(<path d="m6 3 5 5-5 5" />);
export const Tick = icon(<path d="m3 8.5 3.3 3.3L13 4.5" />);
export const Cross = icon(<path d="m4 4 8 8M12 4l-8 8" />);
export const Up = icon(<path d="M8 13.5v-11M3.5 7 8 2.5 12.5 7" />);
export const Phone = icon(<path d="M5.8 2.5H3.5c-.6 0-1 .5-1 1.1.4 5.2 4.7 9.5 9.9 9.9.6 0 1.1-.4 1.1-1v-2.3l-3-1-1.3 1.5a8 8 0 0 1-3.9-3.9l1.5-1.3z" />);
export const Compass = icon(<path d="M13.5 2.5 9.3 13.5 7.5 8.5 2.5 6.7z" />);
export const Photo = icon(<path d="M2 5h2.5l1-1.5h5l1 1.5H14v8H2zM8 11.3a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z" />);
export const Keyboard = icon(<path d="M1.5 4h13v8.5h-13zM4 6.5h.01M6.7 6.5h.01M9.3 6.5h.01M12 6.5h.01M4.5 10h7" />);
export const Warning = icon(<path d="M8 2 1.7 13.5h12.6zM8 6.5v3.3M8 11.7v.01" />);
export const Note = icon(<path d="M3 13.5V2.5h10v7l-4 4zM5.5 5.5h5M5.5 8h5M9 13.5v-4h4" />);
export const Globe = icon(<path d="M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM2 8h12M8 2c4 4 4 8 0 12M8 2c-4 4-4 8 0 12" />);
export const List = icon(<path d="M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01" />);
export const Gear = icon(<path d="M2.5 4.5h6M12 4.5h1.5M2.5 11.5H4M7.5 11.5h6M10.3 6.3a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM5.7 13.3a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z" />);
export const Task = icon(<path d="M8 14.5c3-3.3 4.5-5.8 4.5-8a4.5 4.5 0 0 0-9 0c0 2.2 1.5 4.7 4.5 8zM8 8.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4z" />);
export const Camera = icon(<path d="M1.5 4.5h9v7h-9zM10.5 7.5l4-2.3v5.6l-4-2.3" />);
export const Satellite = icon(<path d="m6 6 4 4M8.5 3.5l4 4-2.3 2.3-4-4zM7 9 4.5 11.5M2.5 8.5a5 5 0 0 0 5 5M2.5 11a2.5 2.5 0 0 0 2.5 2.5" />);
export const Person = icon(<path d="M8 7.5a2.7 2.7 0 1 0 0-5.5 2.7 2.7 0 0 0 0 5.5zM2.8 14c.4-3 2.4-4.5 5.2-4.5s4.8 1.5 5.2 4.5" />);

export function Brand({ size = 22 }: { size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path d="M2 17C6 10 11 7.3 16 7.3S26 10 30 17c-4 5.6-9 8.2-14 8.2S6 22.6 2 17z" fill="currentColor" />
      <path d="M16.3 8.8c.7 3.5-4.2 5.5-4.2 9.7a4.1 4.1 0 0 0 8.2.2c0-1.5-.6-2.6-1.2-3.4-.2 1.2-.8 1.8-1.5 2 .6-3 .2-6.4-1.3-8.5z" fill="#d5422a" />
    </svg>
  );
}

/** One shape for each state; the same on cards, in the pane and on the map. */
export function markShape(mark: Mark): JSX.Element {
  switch (mark) {
    case 'needs_review':
      return <path d="M8 1.8 14.2 8 8 14.2 1.8 8z" fill="none" stroke="currentColor" stroke-width="2" />;
    case 'dispatched':
      return <circle cx="8" cy="8" r="6" fill="currentColor" />;
    case 'acknowledged':
      return <path d="M3.5 2v12L14 8z" fill="currentColor" />;
    case 'arrived':
      return (
        <g fill="none" stroke="currentColor" stroke-width="2">
          <circle cx="8" cy="8" r="6" />
          <circle cx="8" cy="8" r="1.6" fill="currentColor" />
        </g>
      );
    case 'reported':
      return <path d="M2.5 2.5h11v11h-11z" fill="currentColor" />;
    case 'overdue':
      return <path d="M8 1.5 15 14H1z" fill="currentColor" />;
    case 'closed':
      return <path d="m2.5 8.5 3.7 3.7 7.3-8" fill="none" stroke="currentColor" stroke-width="2.2" />;
  }
}

export function MarkIcon({ mark, size = 14 }: { mark: Mark; size?: number }) {
  return (
    <svg class={`icon mark-${mark}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {markShape(mark)}
    </svg>
  );
}
