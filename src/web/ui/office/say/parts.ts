/** The program's parts by their names. */
import { words } from '../words';

/** The server may name one of several after its part: `feeds viirs`. */
export const partName = (part: string): string => words().part[part.split(' ', 1)[0] ?? part] ?? part;
