/** The shapes of `/api/v1`, as written in ../../../api.md. */
export * from './board';
export * from './evidence';
export * from './incident';
export * from './ops';
