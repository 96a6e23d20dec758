/** `archived` of a revision that is still the newest: greater than every time. */
export const LIVE = Number.MAX_SAFE_INTEGER

/**
 * One file of history. An element row is one life of one id; its revisions are keyframes (whole metadata) and deltas
 * (operations upon the revision before, `base` = the row of their keyframe; 0 in a keyframe). A file begins with what it inherits from the one
 * before. `late` names the elements of which the file says something that was so before it began: a word that came late, or a clock behind ours.
 */
export const TOPOLOGY_SCHEMA = `
CREATE TABLE file.word (word INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE file.element (
  element INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id TEXT NOT NULL, parent TEXT NOT NULL, child TEXT NOT NULL,
  host INTEGER NOT NULL, origin INTEGER NOT NULL, created INTEGER NOT NULL, deleted INTEGER);
CREATE TABLE file.revision (
  row INTEGER PRIMARY KEY, element INTEGER NOT NULL, revision INTEGER NOT NULL, updated INTEGER NOT NULL, archived INTEGER NOT NULL,
  base INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE file.late (element INTEGER NOT NULL, time INTEGER NOT NULL);
CREATE INDEX file.revision_by_element ON revision (element, row);
CREATE INDEX file.revision_by_time ON revision (archived, updated);
CREATE INDEX file.revision_by_update ON revision (updated, element);
CREATE INDEX file.element_by_id ON element (id);
CREATE INDEX file.element_by_creation ON element (created);
CREATE INDEX file.element_by_deletion ON element (deleted) WHERE deleted IS NOT NULL;
`
