/** What the centre's `/api/v1/counties` answers, generated from the document of the centre's own host, `openapi.centre.json`. */
export type { AtWork, CountyLine, Missed, Overview, PartView as Part } from '../shared/generated/centre';
