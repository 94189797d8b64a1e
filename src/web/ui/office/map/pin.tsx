/** A fire on the map: the state's shape and its word, never colour alone. */
import L from 'leaflet';
import { render } from 'preact';
import { MarkIcon } from '../../shared/icons';
import { markOf, overdueOf } from '../../shared/incident';
import { common } from '../../shared/words';
import { classes } from '../../shared/ui';
import { anchor, isPlace } from '../../shared/where';
import { select } from '../desk';
import { point } from './shapes';
import type { Incident } from '../../shared/types';

interface Pin {
  marker: L.Marker;
  element: HTMLElement;
  looks: string;
}

/** Keeps one marker an incident and touches it only when its looks change: the map stays still while clocks run. */
export class Pins {
  private readonly pins = new Map<string, Pin>();

  constructor(private readonly group: L.LayerGroup) {}

  show(incidents: readonly Incident[], chosen: string | null, now: number): void {
    for (const [id, pin] of this.pins) {
      if (incidents.some((incident) => incident.id === id)) continue;
      pin.marker.remove();
      this.pins.delete(id);
    }
    for (const incident of incidents) this.one(incident, incident.id === chosen, now);
  }

  private one(incident: Incident, chosen: boolean, now: number): void {
    const w = common();
    const mark = markOf(incident, now);
    const late = overdueOf(incident, now);
    const word = late ? w.overdueStage[late] : w.state[incident.state];
    const at = point(anchor(incident));
    const vague = !isPlace(incident.fix);
    const looks = [mark, word, chosen, incident.code, incident.drill, vague, ...at].join();
    let pin = this.pins.get(incident.id);
    if (pin?.looks === looks) return;
    if (!pin) {
      const element = document.createElement('div');
      const icon = L.divIcon({ html: element, className: 'pin-box', iconSize: [0, 0] });
      const marker = L.marker(at, { icon, keyboard: false, riseOnHover: true }).addTo(this.group);
      marker.on('click', () => select(incident.id));
      pin = { marker, element, looks };
      this.pins.set(incident.id, pin);
    }
    pin.looks = looks;
    pin.marker.setLatLng(at);
    pin.marker.setZIndexOffset(chosen ? 1000 : 0);
    render(
      <div class={classes('pin', `pin-${mark}`, chosen && 'pin-chosen', incident.drill && 'pin-drill', vague && 'pin-vague')} data-incident={incident.id}>
        <MarkIcon mark={mark} size={13} />
        <span>
          {incident.drill && w.drill}
          {word} {incident.code.split('-').pop()}
          {vague && ` · ${incident.fix.method === 'unaimed' ? w.noBearing : w.rangeUnknown}`}
        </span>
      </div>,
      pin.element,
    );
  }
}
