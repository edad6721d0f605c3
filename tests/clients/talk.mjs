// What the tests tell a client, and what it answers: JSON, one value per line.
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export const asked = JSON.parse(process.argv[2]);

/** Have the person go to the address; where the browser ends up. */
export async function goTo(address) {
  console.log(JSON.stringify({ goTo: String(address) }));
  return new URL((await lines.next()).value);
}

export function done(found) {
  console.log(JSON.stringify({ done: found }));
  process.exit(0);
}
