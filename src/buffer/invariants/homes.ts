/** Where a parent's records lie, by what its keys are called. */
export const homeNames = ["pending", "revisions", "dead"] as const;
export type HomeName = (typeof homeNames)[number];
