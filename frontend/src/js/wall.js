// Days and times as the clock on the wall says them ("2026-11-30", "2026-11-30T09:15"), counted as if they were UTC: every day
// has 24 hours there, so what is added is what the eye sees.
export const MINUTE_MS = 60_000;

/** Milliseconds of a text. */
export const read = (text) => Date.parse(`${text.slice(0, 10)}T${text.slice(11) || "00:00"}Z`);

/** A text some minutes later, as long as it was. */
export const shifted = (text, minutes) => new Date(read(text) + minutes * MINUTE_MS).toISOString().slice(0, text.length);
