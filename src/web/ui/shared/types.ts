/** The shapes of `/api/v1`, by the names that the pages use. They are generated from the program's own document, `openapi.json`. */
import type * as api from './generated/api';

export type {
  AimView,
  Alert,
  Because,
  Brought,
  Category,
  Changes,
  Channel,
  Choice,
  Class,
  Count,
  Datum,
  Estimate,
  FalseAlarm,
  Fix,
  Flames,
  Health,
  Hotspots,
  InForce,
  IncidentPage,
  Label,
  LatLon,
  LookAlikes,
  Matter,
  Means,
  Mine,
  Owner,
  People,
  PointName,
  Points,
  Proof,
  Proofs,
  Position,
  Proposed,
  Published,
  RangeBasis,
  RangerIncident,
  RangerView,
  Register,
  RegisterView,
  Rise,
  Role,
  RotaGaps,
  SourceKind,
  Spread,
  Stage,
  State,
  Step,
  Strip,
  StripFrame,
  Tests,
  Thresholds,
  Unproven,
  VisitView,
  Waiting,
  WhatIf,
} from './generated/api';

/** RFC 3339, UTC. */
export type Time = string;
export type Answered = api.AnswerView;
export type Board = Omit<api.Board, 'county'> & { county: Omit<api.CountyView, 'grids'> & { grids: GeoJSON.FeatureCollection } };
export type Camera = api.CameraView;
export type Candidate = api.CandidateView;
export type County = api.NeighbourCounty;
export type Dispatch = api.DispatchView;
export type Eye = api.EyeView;
export type Hotspot = api.HotspotView;
export type Incident = api.IncidentView;
export type Intent = api.Deciding;
export type IntentKind = api.Intent;
export type LogEntry = api.LogView;
export type Me = api.MeView;
export type Message = api.MessageView;
export type Method = api.FixMethod;
export type Neighbour = api.NeighbourView;
export type Patrol = api.PatrolView;
export type Person = api.PersonView;
export type Place = api.PlaceView;
export type Proclaimed = api.Notice;
export type Point = api.OperatingPoint;
export type SelfTest = api.SelfTestView;
export type Sighting = api.SightingView;
export type ShiftState = api.ShiftView;
export type Source = api.SourceView;
export type Undelivered = api.UndeliveredView;
export type Verification = api.VerificationView;

export type CameraSource = Extract<Source, { kind: 'camera' }>;
export type SatelliteSource = Extract<Source, { kind: 'satellite' }>;
export type Bbox = CameraSource['bbox'];
export type Sector = Extract<Locus, { shape: 'sector' }>;
export type Locus = api.Locus;

export const falseAlarms = ['cooking_smoke', 'incense', 'factory_smoke', 'fog_or_cloud', 'dust', 'glare', 'dirty_lens', 'unclear'] as const satisfies readonly api.FalseAlarm[];
